/* SPDX-License-Identifier: MIT */
/* A space's table of objects. */
#include "vm_backing.h"
