// oneDNN for Swift: a convolution with its memories as one object, so that what differs between
// oneDNN's C APIs (version 2 here, 3 to come) stays in this file.
#pragma once
#include <oneapi/dnnl/dnnl.h>
#include <oneapi/dnnl/dnnl_debug.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#if DNNL_VERSION_MAJOR != 2
#error "this shim speaks oneDNN 2; version 3 replaced operation descriptors by *_primitive_desc_create"
#endif

// libgomp's, which oneDNN's threads are.
extern void omp_set_num_threads(int threads);

typedef enum { sw_forward, sw_backward_data, sw_backward_weights } sw_pass;

// Extents of one convolution. Maps are NHWC, kernels HWIO; groups > 1 is a depthwise layer with
// kernel (height, width, groups, 1).
typedef struct {
  int64_t batch, in_height, in_width, in_channels, out_height, out_width, out_channels;
  int64_t kernel_height, kernel_width, stride_height, stride_width;
  int64_t pad_top, pad_left, pad_bottom, pad_right, groups;
} sw_geometry;

// Where the maps of a convolution are: the caller's, NHWC, or its own, in whatever layout oneDNN likes
// best; the latter is for timings, as nobody else can read or write them.
typedef enum { sw_plain_maps, sw_blocked_maps } sw_maps;

typedef struct {
  dnnl_primitive_t primitive;
  // Between the plain kernel and the layout that the primitive wants; NULL where they are the same.
  dnnl_primitive_t reorder;
  dnnl_memory_t source, kernel, plain_kernel, bias, destination;
  // The caller's memory, which several convolutions may share that never run at the same time.
  dnnl_memory_t scratchpad;
  size_t scratchpad_bytes;
  sw_pass pass;
} sw_convolution;

static inline void sw_convolution_destroy(sw_convolution *c) {
  if (c->primitive) dnnl_primitive_destroy(c->primitive);
  if (c->reorder) dnnl_primitive_destroy(c->reorder);
  if (c->plain_kernel && c->plain_kernel != c->kernel) dnnl_memory_destroy(c->plain_kernel);
  if (c->kernel) dnnl_memory_destroy(c->kernel);
  if (c->source) dnnl_memory_destroy(c->source);
  if (c->bias) dnnl_memory_destroy(c->bias);
  if (c->destination) dnnl_memory_destroy(c->destination);
  if (c->scratchpad) dnnl_memory_destroy(c->scratchpad);
}

// Zeroed memory of a convolution's own.
static inline dnnl_status_t sw_memory_create(
    dnnl_memory_t *memory, const dnnl_memory_desc_t *md, dnnl_engine_t engine) {
  dnnl_status_t s = dnnl_memory_create(memory, md, engine, DNNL_MEMORY_ALLOCATE);
  void *data = NULL;
  if (s == dnnl_success) s = dnnl_memory_get_data_handle(*memory, &data);
  if (s == dnnl_success && data) memset(data, 0, dnnl_memory_desc_get_size(md));
  return s;
}

// With plain maps the buffers are the caller's and must outlive the convolution; bias may be NULL, and
// only a forward pass reads it. With blocked maps they are not looked at, nor is the kernel. adds: a
// forward pass adds to what stands in the destination.
static inline dnnl_status_t sw_convolution_create(
    sw_convolution *c, dnnl_engine_t engine, sw_pass pass, const sw_geometry *g, sw_maps maps,
    float *source, float *kernel, float *bias, float *destination, int adds) {
  *c = (sw_convolution){.pass = pass};
  dnnl_dims_t source_dims = {g->batch, g->in_channels, g->in_height, g->in_width};
  dnnl_dims_t destination_dims = {g->batch, g->out_channels, g->out_height, g->out_width};
  dnnl_dims_t dense_dims = {g->out_channels, g->in_channels, g->kernel_height, g->kernel_width};
  dnnl_dims_t group_dims = {g->groups, 1, 1, g->kernel_height, g->kernel_width};
  dnnl_dims_t bias_dims = {g->out_channels};
  dnnl_dims_t strides = {g->stride_height, g->stride_width}, dilates = {0, 0};
  dnnl_dims_t before = {g->pad_top, g->pad_left}, after = {g->pad_bottom, g->pad_right};
  int grouped = g->groups > 1;
  int kernel_rank = grouped ? 5 : 4;
  dnnl_memory_desc_t source_md, kernel_md, plain_md, bias_md, destination_md;
  dnnl_status_t s;
#define SW_TRY(call)                      \
  if ((s = (call)) != dnnl_success) {     \
    sw_convolution_destroy(c);            \
    *c = (sw_convolution){.pass = pass};  \
    return s;                             \
  }
  dnnl_format_tag_t map_tag = maps == sw_plain_maps ? dnnl_nhwc : dnnl_format_tag_any;
  SW_TRY(dnnl_memory_desc_init_by_tag(&source_md, 4, source_dims, dnnl_f32, map_tag));
  SW_TRY(dnnl_memory_desc_init_by_tag(&destination_md, 4, destination_dims, dnnl_f32, map_tag));
  SW_TRY(dnnl_memory_desc_init_by_tag(
      &kernel_md, kernel_rank, grouped ? group_dims : dense_dims, dnnl_f32, dnnl_format_tag_any));
  SW_TRY(dnnl_memory_desc_init_by_tag(
      &plain_md, kernel_rank, grouped ? group_dims : dense_dims, dnnl_f32,
      grouped ? dnnl_hwigo : dnnl_hwio));
  SW_TRY(dnnl_memory_desc_init_by_tag(&bias_md, 1, bias_dims, dnnl_f32, dnnl_a));

  // A forward hint, which the backward passes ask for.
  dnnl_convolution_desc_t forward;
  SW_TRY(dnnl_convolution_forward_desc_init(
      &forward, dnnl_forward_training, dnnl_convolution_direct, &source_md, &kernel_md,
      bias ? &bias_md : NULL, &destination_md, strides, before, after));
  dnnl_primitive_desc_t forward_pd = NULL, pd = NULL;
  dnnl_primitive_attr_t attributes = NULL;
  dnnl_post_ops_t operations = NULL;
  SW_TRY(dnnl_primitive_attr_create(&attributes));
  s = dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user);
  if (s == dnnl_success && adds && pass == sw_forward) {
    s = dnnl_post_ops_create(&operations);
    if (s == dnnl_success) s = dnnl_post_ops_append_sum(operations, 1);
    if (s == dnnl_success) s = dnnl_primitive_attr_set_post_ops(attributes, operations);
  }
  if (s == dnnl_success)
    s = dnnl_primitive_desc_create(&forward_pd, &forward, attributes, engine, NULL);
  if (operations) dnnl_post_ops_destroy(operations);
  if (s != dnnl_success) dnnl_primitive_attr_destroy(attributes);
  SW_TRY(s);
  if (pass == sw_forward) {
    pd = forward_pd;
  } else {
    dnnl_convolution_desc_t backward;
    s = pass == sw_backward_data
            ? dnnl_convolution_backward_data_desc_init(
                  &backward, dnnl_convolution_direct, &source_md, &kernel_md, &destination_md,
                  strides, before, after)
            : dnnl_convolution_backward_weights_desc_init(
                  &backward, dnnl_convolution_direct, &source_md, &kernel_md, NULL,
                  &destination_md, strides, before, after);
    if (s == dnnl_success) s = dnnl_primitive_desc_create(&pd, &backward, attributes, engine, forward_pd);
    dnnl_primitive_desc_destroy(forward_pd);
  }
  dnnl_primitive_attr_destroy(attributes);
  SW_TRY(s);
  const dnnl_memory_desc_t *wanted = dnnl_primitive_desc_query_md(
      pd, pass == sw_backward_weights ? dnnl_query_diff_weights_md : dnnl_query_weights_md, 0);
  dnnl_memory_desc_t chosen = *wanted;
  dnnl_memory_desc_t scratchpad_md = *dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0);
  c->scratchpad_bytes = dnnl_memory_desc_get_size(&scratchpad_md);
  if (maps == sw_blocked_maps) {
    source_md = *dnnl_primitive_desc_query_md(
        pd, pass == sw_backward_data ? dnnl_query_diff_src_md : dnnl_query_src_md, 0);
    destination_md = *dnnl_primitive_desc_query_md(
        pd, pass == sw_forward ? dnnl_query_dst_md : dnnl_query_diff_dst_md, 0);
  }
  s = dnnl_primitive_create(&c->primitive, pd);
  dnnl_primitive_desc_destroy(pd);
  SW_TRY(s);
  SW_TRY(dnnl_memory_create(&c->scratchpad, &scratchpad_md, engine, DNNL_MEMORY_NONE));
  if (maps == sw_blocked_maps) {
    SW_TRY(sw_memory_create(&c->source, &source_md, engine));
    SW_TRY(sw_memory_create(&c->kernel, &chosen, engine));
    SW_TRY(sw_memory_create(&c->destination, &destination_md, engine));
    return dnnl_success;
  }
  SW_TRY(dnnl_memory_create(&c->source, &source_md, engine, source));
  SW_TRY(dnnl_memory_create(&c->destination, &destination_md, engine, destination));
  if (bias) SW_TRY(dnnl_memory_create(&c->bias, &bias_md, engine, bias));
  SW_TRY(dnnl_memory_create(&c->plain_kernel, &plain_md, engine, kernel));
  if (dnnl_memory_desc_equal(&chosen, &plain_md)) {
    c->kernel = c->plain_kernel;
    return dnnl_success;
  }
  SW_TRY(dnnl_memory_create(&c->kernel, &chosen, engine, DNNL_MEMORY_ALLOCATE));
  dnnl_primitive_desc_t reorder_pd = NULL;
  if (pass == sw_backward_weights) {
    SW_TRY(dnnl_reorder_primitive_desc_create(
        &reorder_pd, &chosen, engine, &plain_md, engine, NULL));
  } else {
    SW_TRY(dnnl_reorder_primitive_desc_create(
        &reorder_pd, &plain_md, engine, &chosen, engine, NULL));
  }
  s = dnnl_primitive_create(&c->reorder, reorder_pd);
  dnnl_primitive_desc_destroy(reorder_pd);
  SW_TRY(s);
#undef SW_TRY
  return dnnl_success;
}

static inline dnnl_status_t sw_reorder(
    dnnl_primitive_t reorder, dnnl_stream_t stream, dnnl_memory_t from, dnnl_memory_t to) {
  dnnl_exec_arg_t arguments[2] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
  return dnnl_primitive_execute(reorder, stream, 2, arguments);
}

// Brings the plain kernel into the primitive's layout: after each change of the kernel, before the
// first execution that should see it.
static inline dnnl_status_t sw_convolution_load_kernel(
    const sw_convolution *c, dnnl_stream_t stream) {
  if (!c->reorder || c->pass == sw_backward_weights) return dnnl_success;
  return sw_reorder(c->reorder, stream, c->plain_kernel, c->kernel);
}

// Runs the primitive; a kernel gradient stays in the primitive's layout. scratchpad: at least
// scratchpad_bytes, on a page.
static inline dnnl_status_t sw_convolution_execute(
    const sw_convolution *c, dnnl_stream_t stream, void *scratchpad) {
  void *known = NULL;
  dnnl_status_t s = dnnl_memory_get_data_handle(c->scratchpad, &known);
  if (s == dnnl_success && known != scratchpad)
    s = dnnl_memory_set_data_handle(c->scratchpad, scratchpad);
  if (s != dnnl_success) return s;
  dnnl_exec_arg_t arguments[5];
  int count = 0;
  arguments[count++] = (dnnl_exec_arg_t){DNNL_ARG_SCRATCHPAD, c->scratchpad};
  switch (c->pass) {
    case sw_forward:
      arguments[count++] = (dnnl_exec_arg_t){DNNL_ARG_SRC, c->source};
      arguments[count++] = (dnnl_exec_arg_t){DNNL_ARG_WEIGHTS, c->kernel};
      if (c->bias) arguments[count++] = (dnnl_exec_arg_t){DNNL_ARG_BIAS, c->bias};
      arguments[count++] = (dnnl_exec_arg_t){DNNL_ARG_DST, c->destination};
      break;
    case sw_backward_data:
      arguments[count++] = (dnnl_exec_arg_t){DNNL_ARG_DIFF_SRC, c->source};
      arguments[count++] = (dnnl_exec_arg_t){DNNL_ARG_WEIGHTS, c->kernel};
      arguments[count++] = (dnnl_exec_arg_t){DNNL_ARG_DIFF_DST, c->destination};
      break;
    case sw_backward_weights:
      arguments[count++] = (dnnl_exec_arg_t){DNNL_ARG_SRC, c->source};
      arguments[count++] = (dnnl_exec_arg_t){DNNL_ARG_DIFF_WEIGHTS, c->kernel};
      arguments[count++] = (dnnl_exec_arg_t){DNNL_ARG_DIFF_DST, c->destination};
      break;
  }
  return dnnl_primitive_execute(c->primitive, stream, count, arguments);
}

// Whether two convolutions of the caller's maps have the kernel in the same layout.
static inline int sw_convolution_layouts_agree(sw_convolution a, sw_convolution b) {
  const dnnl_memory_desc_t *first = NULL, *second = NULL;
  dnnl_memory_get_memory_desc(a.kernel, &first);
  dnnl_memory_get_memory_desc(b.kernel, &second);
  return dnnl_memory_desc_equal(first, second);
}

// A kernel gradient in the primitive's layout: `count` floats.
static inline float *sw_convolution_gradient(const sw_convolution *c, size_t *count) {
  void *data = NULL;
  const dnnl_memory_desc_t *md = NULL;
  dnnl_memory_get_data_handle(c->kernel, &data);
  dnnl_memory_get_memory_desc(c->kernel, &md);
  *count = dnnl_memory_desc_get_size(md) / sizeof(float);
  return (float *)data;
}

// Brings a kernel gradient into the plain kernel's layout.
static inline dnnl_status_t sw_convolution_unload_gradient(
    const sw_convolution *c, dnnl_stream_t stream) {
  if (!c->reorder) return dnnl_success;
  return sw_reorder(c->reorder, stream, c->kernel, c->plain_kernel);
}
