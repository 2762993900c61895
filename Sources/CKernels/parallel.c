#include "parallel.h"

#include <stdatomic.h>

// libgomp's own entry points: the compiler that builds this has another OpenMP, whose threads would
// stand beside oneDNN's.
extern void GOMP_parallel(void (*body)(void *), void *data, unsigned threads, unsigned flags);
extern int omp_get_max_threads(void);
extern int omp_get_thread_num(void);
extern int omp_get_num_threads(void);
extern int omp_in_parallel(void);
extern double omp_get_wtime(void);

// Values below which waking a thread costs more than it saves, and below which a thread that is done
// early waits sooner than it has found another's units and their data.
enum { least_work = 1 << 12, least_shared_work = 1 << 17 };

// Pieces into which a thread's own units are cut, and threads whose units others can take over.
enum { pieces = 16, sharing_threads = 64 };

// The next unit of a thread's own that nobody has taken; on a cache line of its own.
struct cursor {
  _Alignas(64) _Atomic size_t next;
};

struct loop {
  ck_share share;
  void *context;
  size_t units;
  int is_shared;
  struct cursor cursors[sharing_threads];
};

static size_t first_unit(const struct loop *loop, size_t thread, size_t threads) {
  return loop->units * thread / threads;
}

/// Runs what is left of the units of `owner`.
static void run_units(struct loop *loop, size_t owner, size_t thread, size_t threads) {
  size_t begin = first_unit(loop, owner, threads), end = first_unit(loop, owner + 1, threads);
  size_t piece = (end - begin + pieces - 1) / pieces;
  if (!piece) return;
  for (;;) {
    size_t at = begin + atomic_fetch_add_explicit(
                          &loop->cursors[owner].next, piece, memory_order_relaxed);
    if (at >= end) return;
    loop->share(loop->context, at, end - at < piece ? end : at + piece, thread);
  }
}

// Each thread has units of its own, the same in every loop of that size, so that it meets what it
// wrote; one that is done early goes on with another's, as cores differ in what keeps them.
static void run_share(void *data) {
  struct loop *loop = data;
  size_t thread = (size_t)omp_get_thread_num(), threads = (size_t)omp_get_num_threads();
  if (!loop->is_shared) {
    size_t begin = first_unit(loop, thread, threads), end = first_unit(loop, thread + 1, threads);
    if (begin < end) loop->share(loop->context, begin, end, thread);
    return;
  }
  for (size_t k = 0; k < threads; k++) run_units(loop, (thread + k) % threads, thread, threads);
}

size_t ck_threads(void) { return (size_t)omp_get_max_threads(); }

void ck_parallel(ck_share share, void *context, size_t units, size_t work) {
  size_t threads = ck_threads();
  if (units < threads) threads = units;
  if (threads < 2 || work < least_work || omp_in_parallel()) {
    if (units) share(context, 0, units, 0);
    return;
  }
  struct loop loop;
  loop.share = share, loop.context = context, loop.units = units;
  loop.is_shared = work >= least_shared_work && threads <= sharing_threads;
  if (loop.is_shared)
    for (size_t k = 0; k < threads; k++) atomic_init(&loop.cursors[k].next, 0);
  GOMP_parallel(run_share, &loop, (unsigned)threads, 0);
}

// MARK: handover

enum { handovers = 50000 };

struct ball {
  _Alignas(64) _Atomic long turn;
  _Alignas(64) double seconds;
};

static void hand_over(void *data) {
  struct ball *ball = data;
  if (omp_get_num_threads() < 2) return;
  long first = omp_get_thread_num();
  double start = omp_get_wtime();
  for (long turn = first; turn < 2 * handovers; turn += 2) {
    while (atomic_load_explicit(&ball->turn, memory_order_acquire) != turn) continue;
    atomic_store_explicit(&ball->turn, turn + 1, memory_order_release);
  }
  if (first == 0) ball->seconds = omp_get_wtime() - start;
}

double ck_handover(void) {
  if (ck_threads() < 2) return 0;
  struct ball ball = {0};
  // Once to wake the threads.
  for (int run = 0; run < 2; run++) {
    atomic_store(&ball.turn, 0);
    GOMP_parallel(hand_over, &ball, 2, 0);
  }
  return ball.seconds / handovers * 1e9;
}
