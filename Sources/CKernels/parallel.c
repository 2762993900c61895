#include "parallel.h"

// libgomp's own entry points: the compiler that builds this has another OpenMP, whose threads would
// stand beside oneDNN's.
extern void GOMP_parallel(void (*body)(void *), void *data, unsigned threads, unsigned flags);
extern int omp_get_max_threads(void);
extern int omp_get_thread_num(void);
extern int omp_get_num_threads(void);

// Values below which waking a thread costs more than it saves.
enum { least_work = 1 << 12 };

struct loop {
  ck_share share;
  void *context;
  size_t units;
};

static void run_share(void *data) {
  const struct loop *loop = data;
  size_t thread = (size_t)omp_get_thread_num(), threads = (size_t)omp_get_num_threads();
  size_t begin = loop->units * thread / threads, end = loop->units * (thread + 1) / threads;
  if (begin < end) loop->share(loop->context, begin, end, thread);
}

size_t ck_threads(void) { return (size_t)omp_get_max_threads(); }

void ck_parallel(ck_share share, void *context, size_t units, size_t work) {
  size_t threads = ck_threads();
  if (units < threads) threads = units;
  if (threads < 2 || work < least_work) {
    if (units) share(context, 0, units, 0);
    return;
  }
  struct loop loop = {share, context, units};
  GOMP_parallel(run_share, &loop, (unsigned)threads, 0);
}
