# SPDX-License-Identifier: MIT
"""user/bench/posix.c on a Linux kernel and on Vellum, in the same QEMU, counted the same way.

On Linux it is the first process and its archive holds nothing else but the program that it starts.
The kernel is told to leave out what a microkernel does not do either.
"""

import os
import shutil
import subprocess

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
TITLES = {
    "yield_alone": "sched_yield, nobody else ready",
    "map_write_unmap": "mmap, write, munmap a page",
    "populate": "mmap and write 16 MiB, per page",
    "unmap_64m": "munmap 64 MiB, touched, per page",
    "protect_page": "mprotect a page inside a range",
    "protect_64m_tighten": "mprotect 64 MiB, tightening, per page",
    "protect_64m_loosen": "mprotect 64 MiB, loosening, per page",
    "thread": "pthread_create, pthread_join",
    "program": "posix_spawn, exit, waitpid",
}
RESULT = os.path.join(bench_tell.FOLDER, "posix.json")


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
        return rows_of(file.read().splitlines(), log)


def run_vellum(build, out):
    """The rows of the same program on Vellum."""
    initrd = bench_run.pack(build, out, "posix.cpio", ("init", "bin/posix", "bin/nothing"))
    boot = qemu_boot.Boot(
        build=build, initrd=initrd, out=out, harts=1, memory="1G", counted=True, commands="posix",
        **bench_run.VARIANTS["plain"],
    )  # fmt: skip
    return rows_of(bench_run.console_of(boot, "posix"), boot.out_file("posix.log"))


def rows_of(lines, log):
    rows = {}
    for line in lines:
        if match := bench_run.LINE_ROW.match(line.strip()):
            rows[match[1]] = bench_run.pairs_of(match[2])
    if not rows:
        raise qemu_boot.Problem(f"the program printed no row; the whole console is {log}")
    return rows


def table(rows):
    """[[cell]] of {"vellum": rows, "linux": rows}."""
    lines = [["operation", "Vellum", "Linux"]]
    for name, title in TITLES.items():
        both = [rows[system].get(name) for system in ("vellum", "linux")]
        lines.append([title, *(bench_tell.told(row) or "absent" for row in both)])
    return lines


def main(image, build, out, keep):
    """Runs both, prints them side by side, and keeps them for the documents if asked to."""
    check_image(image)
    os.makedirs(out, exist_ok=True)
    rows = {"vellum": run_vellum(build, out), "linux": run_linux(image, out)}
    for line in bench_tell.as_text(table(rows)):
        print(f"  {line}")
    if keep:
        bench_tell.save(RESULT, {"image": os.path.basename(image), "rows": rows})
    return 0
