# SPDX-License-Identifier: MIT
"""user/bench/posix.c on a Linux kernel, in the same QEMU as on Vellum and counted the same way.

On Linux it is the first process and its archive holds nothing else but the program that it starts.
The kernel is told to leave out what a microkernel does not do either.
"""

import os
import shutil
import subprocess

import bench_posix
import bench_run
import bench_tell
import qemu_boot

COMPILER = "riscv64-linux-gnu-gcc"
INSTALL = "sudo apt-get install gcc-riscv64-linux-gnu libc6-dev-riscv64-cross"
APPEND = (
    "console=ttyS0 rdinit=/init quiet init_on_alloc=0 randomize_kstack_offset=off psi=0 lsm= "
    "audit=0 cgroup_disable=memory hardened_usercopy=off transparent_hugepage=never"
)
CPU = bench_run.CPU_PLAIN + ",sv57=off"


def compile_for_linux(source, target):
    line = [COMPILER, "-O2", "-static", "-pthread", "-s", "-o", target, source]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    if done.returncode:
        why = done.stderr.strip()
        raise qemu_boot.Problem(f"{' '.join(line)} failed: {why}; to install: {INSTALL}")


def pack_for_linux(out):
    """The archive that Linux unpacks as its first file system."""
    if not shutil.which(COMPILER):
        raise qemu_boot.Problem(f"{COMPILER} is missing. To install it: {INSTALL}")
    folder = os.path.join(qemu_boot.ROOT, "user", "bench")
    os.makedirs(os.path.join(out, "linux", "initrd", "bin"), exist_ok=True)
    for source, member in (("posix.c", "init"), ("nothing.c", "bin/nothing")):
        target = os.path.join(out, "linux", "initrd", member)
        compile_for_linux(os.path.join(folder, source), target)
    return bench_run.pack(os.path.join(out, "linux"), out, "linux.cpio", ("init", "bin/nothing"))


def check_image(image):
    """Refuses what QEMU would take for a kernel and Linux's header does not."""
    try:
        with open(image, "rb") as file:
            header = file.read(60)
    except OSError as error:
        raise qemu_boot.Problem(f"{image} cannot be read: {error.strerror}") from error
    if header[56:60] != b"RSC\x05":
        raise qemu_boot.Problem(f"{image} is no RISC-V Linux image: Debian's is boot/vmlinux-*")


def run_linux(image, out):
    """Boots the Linux kernel; the rows its first process prints."""
    line = ["qemu-system-riscv64", "-nographic", "-no-reboot", "-M", "virt", "-m", "1G"]
    line += ["-smp", "1", "-cpu", CPU, "-icount", "shift=0,sleep=off", "-kernel", image]
    line += ["-initrd", pack_for_linux(out), "-append", APPEND]
    log = os.path.join(out, "linux.log")
    with open(log, "wb") as file:
        try:
            subprocess.run(
                line, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT,
                timeout=bench_run.TIMEOUT_S, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise qemu_boot.Problem(f"{image} does not end; its console is {log}") from None
    with open(log, encoding="utf-8", errors="replace") as file:
        return bench_posix.rows_of(file.read().splitlines(), log)


def main(image, out):
    """Runs the program on this kernel and keeps what it took for the documents."""
    check_image(image)
    os.makedirs(out, exist_ok=True)
    rows = run_linux(image, out)
    bench_tell.save(bench_posix.LINUX, {"image": os.path.basename(image), "rows": rows})
    print(f"written: {os.path.relpath(bench_posix.LINUX)}")
