/* SPDX-License-Identifier: MIT */
/* Memory objects. */
#include "mm/mem_object.h"
