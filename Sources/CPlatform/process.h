// Starting programs so that they end with this process, however that ends: inline only.
#pragma once
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

// Declared by the C library only under _GNU_SOURCE, which the importer does not define.
int close_range(unsigned first, unsigned last, int flags);
int execvpe(const char *file, char *const arguments[], char *const environment[]);

// No machine has more cores, and no more programs run at once.
enum { shiftwork_guarded_limit = 8192 };

// What the guard does: remembers the process groups that it is told of (-N: N is gone) and kills
// what is left when nobody is there to tell it anything.
static inline void shiftwork_guard_groups(int reader) {
  static int32_t groups[shiftwork_guarded_limit];
  int count = 0;
  int32_t said;
  while (1) {
    const ssize_t got = read(reader, &said, sizeof said);
    if (got < 0 && errno == EINTR) continue;
    if (got != (ssize_t)sizeof said) break;
    if (said > 0) {
      if (count < shiftwork_guarded_limit) groups[count++] = said;
      continue;
    }
    for (int k = 0; k < count; k++) {
      if (groups[k] == -said) groups[k] = groups[--count];
    }
  }
  for (int k = 0; k < count; k++) kill(-groups[k], SIGKILL);
}

// Tells the guard of a group, or that it is gone. A guard that somebody killed is done without.
static inline void shiftwork_tell_guard(int guard, int32_t group) {
  while (send(guard, &group, sizeof group, MSG_NOSIGNAL) < 0 && errno == EINTR) {}
}

// Our variables, null-terminated.
static inline char **shiftwork_environment(void) {
  extern char **environ;
  return environ;
}

// Starts a copy of this process that does nothing else. Gives our end of its socket; the guard acts
// when that end is closed everywhere. -1 with errno when there can be none.
static __attribute__((noinline, unused)) int shiftwork_start_guard(void) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return -1;
  const pid_t pid = fork();
  if (pid < 0) {
    const int code = errno;
    close(ends[0]);
    close(ends[1]);
    errno = code;
    return -1;
  }
  if (pid > 0) {
    close(ends[0]);
    return ends[1];
  }
  // A session of its own: what is sent to our group does not reach it. No other descriptor may stay
  // open in it, since locks live as long as one does.
  setsid();
  signal(SIGINT, SIG_IGN);
  signal(SIGTERM, SIG_IGN);
  signal(SIGHUP, SIG_IGN);
  dup2(ends[0], 0);
  close_range(1, ~0u, 0);
  prctl(PR_SET_NAME, "shiftwork-guard");
  shiftwork_guard_groups(0);
  _exit(0);
}

// Starts a program in a process group of its own, its output going to `log`. It tells the guard of
// itself before it becomes the program, so there is no moment in which nobody would end it.
// -1 with errno when it was not started.
static __attribute__((noinline, unused)) pid_t shiftwork_spawn(
    char *const arguments[], char *const environment[], const char *directory, int input, int log,
    int guard) {
  sigset_t all, before;
  sigfillset(&all);
  // The child shares our memory until it is the program: no handler of ours may run in it.
  pthread_sigmask(SIG_SETMASK, &all, &before);
  volatile int failure = 0;
  const pid_t pid = vfork();
  if (pid == 0) {
    for (int number = 1; number < 32; number++) {
      struct sigaction action;
      if (sigaction(number, 0, &action) != 0 || action.sa_handler == SIG_IGN) continue;
      action.sa_handler = SIG_DFL;
      action.sa_flags = 0;
      sigaction(number, &action, 0);
    }
    pthread_sigmask(SIG_SETMASK, &before, 0);
    if (setpgid(0, 0) == 0 && (directory[0] == 0 || chdir(directory) == 0) &&
        dup2(input, 0) >= 0 && dup2(log, 1) >= 0 && dup2(log, 2) >= 0) {
      shiftwork_tell_guard(guard, getpid());
      execvpe(arguments[0], arguments, environment);
    }
    failure = errno;
    _exit(127);
  }
  const int code = pid < 0 ? errno : failure;
  pthread_sigmask(SIG_SETMASK, &before, 0);
  if (pid > 0 && code != 0) {
    shiftwork_tell_guard(guard, -pid);
    while (waitpid(pid, 0, 0) < 0 && errno == EINTR) {}
  }
  errno = code;
  return code == 0 ? pid : -1;
}

// Waits until a child has ended, and leaves it to be reaped: so its number stays its own.
// Gives the exit code, 256 + N after signal N, -1 with errno.
static __attribute__((noinline, unused)) int shiftwork_await(pid_t pid) {
  siginfo_t info;
  memset(&info, 0, sizeof info);
  while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) != 0) {
    if (errno != EINTR) return -1;
  }
  return info.si_code == CLD_EXITED ? info.si_status : 256 + info.si_status;
}

