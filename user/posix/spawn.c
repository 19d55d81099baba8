/* SPDX-License-Identifier: MIT */
/*
 * Starting programs of the archive.  There are no files: a path is a name in the archive that this
 * program was given.  A program that can start others says so in its image, by the note below; its
 * own starter then gives it the archive it has itself.
 */
#include <spawn.h>

#include <errno.h>
#include <string.h>

#include "children.h"
#include "formats/cpio.h"
#include "formats/elf.h"
#include "user/vellum.h"

#define PATH_BYTES 128U

/* Linked only into programs that use posix_spawn, which refers to it. */
static const struct elf_wish archive_wish __attribute__((section(".vellum.wish"))) =
    ELF_WISH(ELF_WISH_ARCHIVE, 1);

/* The file of a path; folder: for names without a slash, or NULL. */
static int archive_find(const char *path, const char *folder, struct cpio_file *file)
{
    const struct start_info *info = user_info();
    char name[PATH_BYTES] = "";

    if (info->archive == 0) {
        return ENOENT;
    }
    if (folder != NULL && strchr(path, '/') == NULL) {
        (void)strlcat(name, folder, sizeof(name));
    }
    if (strlcat(name, path[0] == '/' ? path + 1 : path, sizeof(name)) >= sizeof(name)) {
        return ENAMETOOLONG;
    }
    return cpio_find((const void *)(uintptr_t)info->archive, info->archive_bytes, name, file) ==
                   CPIO_OK
               ? 0
               : ENOENT;
}

static size_t texts_count(char *const texts[])
{
    size_t count = 0;

    while (texts != NULL && texts[count] != NULL) {
        count++;
    }
    return count;
}

static int spawn(pid_t *pid, const struct cpio_file *file, const char *path, char *const argv[])
{
    const char *slash = strrchr(path, '/');
    char name[PROCESS_NAME_BYTES] = "";
    pid_t number = 0;

    (void)strlcpy(name, slash == NULL ? path : slash + 1, sizeof(name));
    struct user_program program = {
        .image = file->data,
        .image_bytes = file->bytes,
        .name = name,
        .argc = texts_count(argv),
        .argv = (const char *const *)argv,
    };
    long status = child_spawn(&program, &number);
    if (status != 0) {
        return status == -SYS_ENOSPC ? EAGAIN : (int)-status;
    }
    if (pid != NULL) {
        *pid = number;
    }
    return 0;
}

static int find_and_spawn(pid_t *pid, const char *path, const char *folder, int is_plain,
                          char *const argv[])
{
    struct cpio_file file;

    __asm__ volatile("" : : "r"(&archive_wish));
    if (!is_plain) {
        return ENOSYS;
    }
    int error = archive_find(path, folder, &file);
    return error == 0 ? spawn(pid, &file, path, argv) : error;
}

static int is_plain(const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attr)
{
    return (actions == NULL || *actions == NULL) && (attr == NULL || *attr == NULL);
}

int posix_spawn(pid_t *__restrict pid, const char *__restrict path,
                const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *__restrict attr,
                char *const argv[], char *const envp[])
{
    (void)envp; /* programs have no environment */
    return find_and_spawn(pid, path, NULL, is_plain(actions, attr), argv);
}

int posix_spawnp(pid_t *__restrict pid, const char *__restrict name,
                 const posix_spawn_file_actions_t *actions,
                 const posix_spawnattr_t *__restrict attr, char *const argv[], char *const envp[])
{
    (void)envp;
    return find_and_spawn(pid, name, "bin/", is_plain(actions, attr), argv);
}

int posix_spawn_file_actions_init(posix_spawn_file_actions_t *actions)
{
    *actions = NULL;
    return 0;
}

int posix_spawn_file_actions_destroy(posix_spawn_file_actions_t *actions)
{
    (void)actions;
    return 0;
}

int posix_spawnattr_init(posix_spawnattr_t *attr)
{
    *attr = NULL;
    return 0;
}

int posix_spawnattr_destroy(posix_spawnattr_t *attr)
{
    (void)attr;
    return 0;
}
