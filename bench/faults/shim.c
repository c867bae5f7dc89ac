/* Sees every system call of a process that changes files below one folder, and interferes.
 *
 * It counts them, ends the process at the n-th or in the middle of it, makes them fail, and
 * writes them down with their data, so that what a power cut leaves can be worked out from it.
 *
 * The calls are caught by seccomp, not by replacing functions of libc: FAISS writes through
 * stdio, which does not go through the table of linked functions, and Rust libraries make system
 * calls of their own. A filter answers those calls with SIGSYS unless they come from
 * shim_syscall(); the handler decides what becomes of them. Only the clock, which is no system
 * call, is replaced the usual way: for that the library must be preloaded.
 *
 * For 64-bit Linux on x86. A process is armed once and stays so; programs that it starts are not
 * supported. Nothing here allocates or calls libc inside the handler.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <ucontext.h>

enum kind { CREATE = 1, WRITE, TRUNCATE, RENAME, UNLINK, MKDIR, RMDIR, LINK, SYNC, MARK, MAPPED };
enum { DIRECTORY = 1 /* flag of a SYNC */, MOST_PARTS = 64 };

struct record {
    uint32_t kind, flags, path, to;
    uint64_t inode, offset, length;
};

static char root[PATH_MAX];
static size_t root_length;
static int log_file = -1;
static long kill_at, fail_from, fail_count, read_fail_from, read_fail_count;
static int torn, fail_error, fail_short, read_fail_error;
static unsigned fail_kinds;
static long steps, reads;
static atomic_flag busy = ATOMIC_FLAG_INIT;
static _Atomic long clock_offset;

long shim_syscall(long a, long b, long c, long d, long e, long f, long number);
extern char shim_after_syscall[];
__asm__(".text\n.globl shim_syscall\n.type shim_syscall, @function\nshim_syscall:\n"
        "  mov %rcx, %r10\n  mov 8(%rsp), %rax\n  syscall\n"
        ".globl shim_after_syscall\nshim_after_syscall:\n  ret\n");
#define call(number, a, b, c, d, e, f) \
    shim_syscall((long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f), number)

static long as_it_is(long number, const long *a) {
    return call(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* -- paths -------------------------------------------------------------------------------- */

static void decimal(char *to, unsigned long value) {
    char digits[24];
    int n = 0;
    do digits[n++] = (char)('0' + value % 10); while (value /= 10);
    while (n) *to++ = digits[--n];
    *to = 0;
}

static long link_of(long file, char *out) {
    char name[64] = "/proc/self/fd/";
    if (file == AT_FDCWD) strcpy(name, "/proc/self/cwd");
    else decimal(name + 14, (unsigned long)file);
    long n = call(SYS_readlink, name, out, PATH_MAX - 1, 0, 0, 0);
    out[n > 0 ? n : 0] = 0;
    return n;
}

/* Returns the path relative to the root, or NULL where it is somewhere else. */
static char *inside(char *path) {
    if (!root_length || strncmp(path, root, root_length) != 0) return NULL;
    char *rest = path + root_length;
    return *rest == '/' ? rest + 1 : *rest ? NULL : rest;
}

static char *path_of(long folder, const char *name, char *out) {
    if (!name || !*name) return NULL;
    if (*name == '/') {
        strncpy(out, name, PATH_MAX - 1);
    } else {
        long n = link_of((int)folder, out);
        if (n <= 0 || (size_t)n + strlen(name) + 2 > PATH_MAX) return NULL;
        out[n] = '/';
        strcpy(out + n + 1, name);
    }
    return inside(out);
}

static char *file_of(long file, char *out, struct stat *info) {
    if (link_of((int)file, out) <= 0 || !inside(out)) return NULL;
    return call(SYS_fstat, file, info, 0, 0, 0, 0) == 0 ? inside(out) : NULL;
}

/* -- what is written down ------------------------------------------------------------------ */

static void put(const void *data, size_t length) {
    const char *at = data;
    while (length) {
        long n = call(SYS_write, log_file, at, length, 0, 0, 0);
        if (n <= 0) call(SYS_kill, call(SYS_getpid, 0, 0, 0, 0, 0, 0), SIGABRT, 0, 0, 0, 0);
        at += n;
        length -= (size_t)n;
    }
}

static void note(enum kind kind, unsigned flags, const char *path, const char *to, uint64_t inode,
                 uint64_t offset, const struct iovec *parts, uint64_t length) {
    if (log_file < 0) return;
    struct record record = {kind, flags, path ? (uint32_t)strlen(path) : 0,
                            to ? (uint32_t)strlen(to) : 0, inode, offset, parts ? length : 0};
    put(&record, sizeof record);
    if (path) put(path, record.path);
    if (to) put(to, record.to);
    for (int i = 0; parts && length; i++) {
        size_t some = parts[i].iov_len < length ? parts[i].iov_len : length;
        put(parts[i].iov_base, some);
        length -= some;
    }
}

/* -- one step ------------------------------------------------------------------------------ */

static void end(void) {
    call(SYS_kill, call(SYS_getpid, 0, 0, 0, 0, 0, 0), SIGKILL, 0, 0, 0, 0);
    for (;;) call(SYS_pause, 0, 0, 0, 0, 0, 0);
}

/* Counts a step. Returns 0 to go on, a negative errno to fail with, or 1: do half of it. */
static int step(enum kind kind, int divisible) {
    long n = ++steps;
    if (n == kill_at) {
        if (!torn || !divisible) end();
        return 1;
    }
    if (fail_from && n >= fail_from && n < fail_from + fail_count && (fail_kinds & (1u << kind))) {
        if (fail_short && divisible && n == fail_from) return 1;
        return fail_short == 2 ? 0 : -fail_error;
    }
    return 0;
}

static long change(enum kind kind, long number, const long *a, const char *path, const char *to,
                   uint64_t inode) {
    int verdict = step(kind, 0);
    if (verdict < 0) return verdict;
    long result = as_it_is(number, a);
    if (result == 0) note(kind, 0, path, to, inode, 0, NULL, 0);
    return result;
}

static long write_parts(long number, const long *a, const struct iovec *from, long count,
                        int positioned) {
    struct stat info;
    char buffer[PATH_MAX], *path = file_of(a[0], buffer, &info);
    if (!path || !S_ISREG(info.st_mode) || count > MOST_PARTS || count < 0)
        return as_it_is(number, a);
    struct iovec parts[MOST_PARTS];
    uint64_t length = 0;
    for (long i = 0; i < count; i++) {
        parts[i] = from[i];
        length += parts[i].iov_len;
    }
    long flags = call(SYS_fcntl, a[0], F_GETFL, 0, 0, 0, 0);
    uint64_t offset = positioned          ? (uint64_t)a[3]
                      : flags & O_APPEND ? (uint64_t)info.st_size
                                         : (uint64_t)call(SYS_lseek, a[0], 0, SEEK_CUR, 0, 0, 0);
    int verdict = step(WRITE, length > 1);
    if (verdict < 0) return verdict;
    if (verdict) {
        uint64_t half = length / 2, left = half;
        for (long i = 0; i < count; i++) {
            if (parts[i].iov_len > left) parts[i].iov_len = left;
            left -= parts[i].iov_len;
        }
        length = half;
    }
    long result = positioned ? call(SYS_pwritev, a[0], parts, count, offset, 0, 0)
                             : call(SYS_writev, a[0], parts, count, 0, 0, 0);
    if (verdict && steps == kill_at) end();
    if (result > 0) note(WRITE, 0, path, NULL, info.st_ino, offset, parts, (uint64_t)result);
    return result;
}

static long open_file(long number, const long *a, long folder, const char *name, long flags) {
    char buffer[PATH_MAX], *path = path_of(folder, name, buffer);
    if (!path || !(flags & (O_CREAT | O_TRUNC)))
        return as_it_is(number, a);
    if ((flags & O_TMPFILE) == O_TMPFILE) return -EOPNOTSUPP; /* a file without a name */
    struct stat info;
    long missing = call(SYS_stat, buffer, &info, 0, 0, 0, 0);
    int truncates = missing == 0 && (flags & O_TRUNC) && S_ISREG(info.st_mode);
    if (!truncates && missing == 0) return as_it_is(number, a);
    int verdict = step(truncates ? TRUNCATE : CREATE, 0);
    if (verdict < 0) return verdict;
    long result = as_it_is(number, a);
    if (result >= 0 && call(SYS_fstat, result, &info, 0, 0, 0, 0) == 0)
        note(truncates ? TRUNCATE : CREATE, 0, path, NULL, info.st_ino, 0, NULL, 0);
    return result;
}

static long between(enum kind kind, long number, const long *a, long folder, const char *name,
                    long folder_to, const char *name_to) {
    char from[PATH_MAX], to[PATH_MAX];
    char *path = path_of(folder, name, from), *path_to = path_of(folder_to, name_to, to);
    if (!path && !path_to) return as_it_is(number, a);
    struct stat info = {0};
    call(SYS_lstat, from, &info, 0, 0, 0, 0);
    return change(kind, number, a, path ? path : "", path_to ? path_to : "", info.st_ino);
}

static long at_path(enum kind kind, long number, const long *a, long folder, const char *name) {
    char buffer[PATH_MAX], *path = path_of(folder, name, buffer);
    if (!path) return as_it_is(number, a);
    return change(kind, number, a, path, NULL, 0);
}

static long with_file(enum kind kind, long number, const long *a) {
    struct stat info;
    char buffer[PATH_MAX], *path = file_of(a[0], buffer, &info);
    if (!path) return as_it_is(number, a);
    int verdict = step(kind, 0);
    if (verdict < 0) return verdict;
    long result = as_it_is(number, a);
    if (result == 0)
        note(kind, S_ISDIR(info.st_mode) ? DIRECTORY : 0, path, NULL, info.st_ino,
             kind == TRUNCATE ? (uint64_t)a[1] : 0, NULL, 0);
    return result;
}

static long read_file(long number, const long *a) {
    char buffer[PATH_MAX];
    struct stat info;
    if (read_fail_from && file_of(a[0], buffer, &info) && S_ISREG(info.st_mode)) {
        long n = ++reads;
        if (n >= read_fail_from && n < read_fail_from + read_fail_count) return -read_fail_error;
    }
    return as_it_is(number, a);
}

static long intercept(long n, const long *a) {
    char buffer[PATH_MAX];
    struct stat info;
    struct iovec part = {(void *)a[1], (size_t)a[2]};
    switch (n) {
    case SYS_write: return write_parts(n, a, &part, 1, 0);
    case SYS_pwrite64: return write_parts(n, a, &part, 1, 1);
    case SYS_writev: return write_parts(n, a, (struct iovec *)a[1], a[2], 0);
    case SYS_pwritev: return write_parts(n, a, (struct iovec *)a[1], a[2], 1);
    case SYS_open: return open_file(n, a, AT_FDCWD, (char *)a[0], a[1]);
    case SYS_creat: return open_file(n, a, AT_FDCWD, (char *)a[0], O_CREAT | O_TRUNC);
    case SYS_openat: return open_file(n, a, a[0], (char *)a[1], a[2]);
    case SYS_rename: return between(RENAME, n, a, AT_FDCWD, (char *)a[0], AT_FDCWD, (char *)a[1]);
    case SYS_renameat:
    case SYS_renameat2: return between(RENAME, n, a, a[0], (char *)a[1], a[2], (char *)a[3]);
    case SYS_link: return between(LINK, n, a, AT_FDCWD, (char *)a[0], AT_FDCWD, (char *)a[1]);
    case SYS_linkat: return between(LINK, n, a, a[0], (char *)a[1], a[2], (char *)a[3]);
    case SYS_unlink: return at_path(UNLINK, n, a, AT_FDCWD, (char *)a[0]);
    case SYS_rmdir: return at_path(RMDIR, n, a, AT_FDCWD, (char *)a[0]);
    case SYS_unlinkat:
        return at_path(a[2] & AT_REMOVEDIR ? RMDIR : UNLINK, n, a, a[0], (char *)a[1]);
    case SYS_mkdir: return at_path(MKDIR, n, a, AT_FDCWD, (char *)a[0]);
    case SYS_mkdirat: return at_path(MKDIR, n, a, a[0], (char *)a[1]);
    case SYS_ftruncate: return with_file(TRUNCATE, n, a);
    case SYS_fsync:
    case SYS_fdatasync: return with_file(SYNC, n, a);
    case SYS_read:
    case SYS_pread64: return read_file(n, a);
    case SYS_mmap: /* the filter lets through what is no file */
        if ((a[3] & MAP_SHARED) && (a[2] & PROT_WRITE) && file_of(a[4], buffer, &info))
            note(MAPPED, 0, inside(buffer), NULL, info.st_ino, 0, NULL, 0);
        return as_it_is(n, a);
    case SYS_fallocate:
    case SYS_sendfile:
    case SYS_pwritev2:
    case SYS_copy_file_range:
        if (file_of(n == SYS_copy_file_range ? a[2] : a[0], buffer, &info))
            return n == SYS_sendfile ? -EINVAL : n == SYS_fallocate ? -EOPNOTSUPP : -ENOSYS;
        return as_it_is(n, a);
    default: return -ENOSYS; /* nobody here needs these; whoever calls them has another way */
    }
}

static void on_trap(int signal_number, siginfo_t *info, void *context) {
    (void)signal_number;
    greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
    long a[6] = {r[REG_RDI], r[REG_RSI], r[REG_RDX], r[REG_R10], r[REG_R8], r[REG_R9]};
    while (atomic_flag_test_and_set_explicit(&busy, memory_order_acquire))
        call(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
    r[REG_RAX] = intercept(info->si_syscall, a);
    atomic_flag_clear_explicit(&busy, memory_order_release);
}

/* -- what Python calls ---------------------------------------------------------------------- */

static const int CAUGHT[] = {
    SYS_write,    SYS_pwrite64, SYS_writev,   SYS_pwritev,   SYS_pwritev2,  SYS_open,
    SYS_creat,    SYS_openat,   SYS_openat2,  SYS_rename,    SYS_renameat,  SYS_renameat2,
    SYS_link,     SYS_linkat,   SYS_unlink,   SYS_unlinkat,  SYS_rmdir,     SYS_mkdir,
    SYS_mkdirat,  SYS_truncate, SYS_ftruncate, SYS_fsync,    SYS_fdatasync, SYS_fallocate,
    SYS_sendfile, SYS_mmap,     SYS_copy_file_range, SYS_io_uring_setup,
    SYS_read,     SYS_pread64, /* the last two only where reading shall fail */
};
enum { CALLS = sizeof CAUGHT / sizeof *CAUGHT, READING = 2 };

/* Begins to watch what happens below `folder`; 0, or an errno. Once a process. */
int shim_arm(const char *folder, int log, int reading) {
    struct sock_filter code[2 * CALLS + 16];
    unsigned n = 0;
    uintptr_t own = (uintptr_t)shim_after_syscall;
#define AT(place) (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, place)
#define LOAD(field) AT(offsetof(struct seccomp_data, field))
#define EQUAL(value, yes, no) \
    (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(value), yes, no)
#define ANSWER(what) (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, what)
    code[n++] = LOAD(instruction_pointer);
    code[n++] = EQUAL(own, 0, 3);
    code[n++] = AT(offsetof(struct seccomp_data, instruction_pointer) + 4);
    code[n++] = EQUAL(own >> 32, 0, 1);
    code[n++] = ANSWER(SECCOMP_RET_ALLOW);
    code[n++] = LOAD(nr);
    code[n++] = EQUAL(SYS_mmap, 0, 3); /* memory that is no file need not be looked at */
    code[n++] = LOAD(args[4]);
    code[n++] = EQUAL(-1, 0, 2);
    code[n++] = ANSWER(SECCOMP_RET_ALLOW);
    code[n++] = LOAD(nr);
    code[n++] = LOAD(nr);
    for (int i = 0; i < CALLS - (reading ? 0 : READING); i++) {
        code[n++] = EQUAL(CAUGHT[i], 0, 1);
        code[n++] = ANSWER(SECCOMP_RET_TRAP);
    }
    code[n++] = ANSWER(SECCOMP_RET_ALLOW);
    struct sock_fprog filter = {(unsigned short)n, code};
    struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};
    sigfillset(&action.sa_mask); /* no other handler may run while a call is looked at */
    if (strlen(folder) >= sizeof root) return ENAMETOOLONG;
    strcpy(root, folder);
    root_length = strlen(root);
    log_file = log;
    steps = reads = 0;
    if (sigaction(SIGSYS, &action, NULL)) return errno;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) return errno;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) ? errno : 0;
}

/* Ends the process at step `at`, before it or (half) in the middle of it; 0 for never. */
void shim_kill(long at, int half) { kill_at = at, torn = half; }

/* Lets steps of these kinds fail, `count` from step `from` on. `shorten` 1: the first writes half
 * and those after it fail; 2: only that. */
void shim_fail(long from, long count, int error, unsigned kinds, int shorten) {
    fail_from = from, fail_count = count, fail_error = error, fail_kinds = kinds;
    fail_short = shorten;
}

void shim_fail_reads(long from, long count, int error) {
    read_fail_from = from, read_fail_count = count, read_fail_error = error;
}

long shim_steps(void) { return steps; }
long shim_reads(void) { return reads; }
void shim_mark(long number) {
    while (atomic_flag_test_and_set_explicit(&busy, memory_order_acquire)) {}
    note(MARK, 0, NULL, NULL, 0, (uint64_t)number, NULL, 0);
    atomic_flag_clear_explicit(&busy, memory_order_release);
}

/* -- the clock ------------------------------------------------------------------------------ */

/* Sets the clock that this process sees so many seconds ahead, or back. */
void shim_clock(long seconds) { clock_offset = seconds; }

int clock_gettime(clockid_t clock, struct timespec *at) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(clock, at);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        at->tv_sec += clock_offset;
    return result;
}

time_t time(time_t *to) {
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    if (to) *to = at.tv_sec;
    return at.tv_sec;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone) {
    (void)zone;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    at->tv_sec = now.tv_sec, at->tv_usec = now.tv_nsec / 1000;
    return 0;
}
