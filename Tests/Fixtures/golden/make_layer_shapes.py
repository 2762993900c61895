"""Every distinct weighted layer of the six networks, alone, in QKeras: python make_layer_shapes.py OUT_DIR [SEED]

Writes OUT_DIR/layer_shapes.h5; set-up as for make_golden.py, which defines the networks, `hashed` and QDenseBatchnorm. A group a shape, called by
what makes it distinct: KIND_INPUT_FILTERS_KERNEL_STRIDE_folded or _plain (with batch norm folded in or without); dense_IN_UNITS_folded or _plain.
Kernel quantized_bits(8,8,1,1,alpha='auto'), bias quantized_bits(16,16,1,1,alpha='auto'), padding 'same'.

What a checker rebuilds (`base` and `kernel_stream` are attributes of the group, `batch` too, `seed` of the file): x = hashed(.., base), kernel =
hashed(.., kernel_stream, 1.4*sqrt(3/fan_in)), bias = hashed(.., base+1, .05), gamma = hashed(.., base+2, .2)+1, beta = hashed(.., base+3, .1),
moving_mean = hashed(.., base+4, .2), moving_variance = hashed(.., base+5, .3)+1, upstream gradient = hashed(.., base+6).
What it compares: inference_y, then of one training step training_y, grad_x, grad_kernel, grad_gamma, grad_beta (grad_bias where plain),
moving_mean, moving_variance after it.

Tensors of at most FULL elements stand as they are. Of a larger one the group holds a sketch of 1 + BUCKETS float64: its Euclidean norm, and sums over
buckets with random signs. Element k (C order) goes to bucket h >> 1 mod BUCKETS with the sign + where h is even, - where it is odd, h being the hash
of `hashed` for stream SKETCH. Two sketches of the same shape differ by the sketch of the difference d; its squared norm is an unbiased estimate of |d|^2
with a variance of at most 2/BUCKETS |d|^4 (as that of BUCKETS projections on random signs, at the price of one), so the estimate of |d| has a standard error of
1/sqrt(2 BUCKETS), 4.4 %. A checker with the bound B asks for estimate <= B / (1 + 3/sqrt(2 BUCKETS)): what passes is within B with three standard errors to spare.

Codes at the edge. A kernel value divided by its scale is rounded to a code. The scale is max|K|/127 when QKeras runs eagerly and max|K| * float32(1/127) in a
graph, where TensorFlow turns divisions by constants into products; in a folded layer inv*K hangs on the batch's variance besides, whose last bit is the order of additions.
So a value within a few units in the last place of an edge may get another code in an honest implementation. One flipped code of N moves the output by
about 1/127 / sqrt(N/3) of its norm; so the kernel's stream is the first of which so few values (m) are near an edge that all of them flipped would not move it by more
than 1e-4: m <= N (127e-4)^2 / 3. Below N = 18,600 that is none at all. `near_edges` is m, `kernel_stream` - base - 10 the number of streams refused; both are printed.
"""
import os, sys
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import h5py, numpy as np, tensorflow as tf
import make_golden as golden
from make_golden import hashed, qb, Bits, QConv2D, QConv2DBatchnorm, QDense, QDenseBatchnorm, QDepthwiseConv2DBatchnorm

FULL, BUCKETS, SKETCH = 1536, 256, 77
KINDS = {QConv2DBatchnorm: "conv2d", QConv2D: "conv2d", QDepthwiseConv2DBatchnorm: "depthwise_conv2d", QDenseBatchnorm: "dense", QDense: "dense"}


def signs_and_buckets(count):
    """Of the sketch: `hashed` divides by 2^31 and subtracts 1, which is exact in float64 and undone here."""
    k = np.arange(count, dtype=np.uint32)
    with np.errstate(over="ignore"):
        h = k * np.uint32(0x9E3779B9) + np.uint32(SKETCH) * np.uint32(0x85EBCA6B) + np.uint32(golden.SEED)
        h ^= h >> np.uint32(16); h *= np.uint32(0x85EBCA6B); h ^= h >> np.uint32(13)
        h *= np.uint32(0xC2B2AE35); h ^= h >> np.uint32(16)
    return 1.0 - 2.0 * (h & np.uint32(1)), (h >> np.uint32(1)) % np.uint32(BUCKETS)


def stored(tensor):
    values = np.asarray(tensor, np.float32)
    if values.size <= FULL: return values
    flat = values.reshape(-1).astype(np.float64)
    signs, buckets = signs_and_buckets(flat.size)
    return np.concatenate([[np.linalg.norm(flat)], np.bincount(buckets, signs * flat, BUCKETS)])


def shapes():
    """name -> (class, input shape, filters, kernel, stride), in the order in which the networks have them."""
    found = {}
    for build in (golden.fc_autoencoder, golden.ds_cnn, golden.resnet, golden.mobilenet_v1, golden.mobilenet_v2, golden.efficientnet_b0):
        tf.keras.backend.clear_session()
        for layer in build(Bits(None, None, None, "auto")).layers:
            cls = type(layer)
            if cls not in KINDS: continue
            end = "folded" if hasattr(layer, "batchnorm") else "plain"
            x = tuple(layer.input_shape[1:])
            if KINDS[cls] == "dense":
                found[f"dense_{x[0]}_{layer.units}_{end}"] = (cls, x, layer.units, None, None)
                continue
            filters = x[2] if cls is QDepthwiseConv2DBatchnorm else layer.filters
            (kh, kw), (s, _) = layer.kernel_size, layer.strides
            found[f"{KINDS[cls]}_{x[0]}x{x[1]}x{x[2]}_{filters}_{kh}x{kw}_s{s}_{end}"] = (cls, x, filters, (kh, kw), s)
    return found


def make(cls, filters, kernel, stride):
    if KINDS[cls] == "dense": return cls(filters, kernel_quantizer=qb(8, "auto"), bias_quantizer=qb(16, "auto"))
    common = dict(strides=stride, padding="same", bias_quantizer=qb(16, "auto"))
    if cls is QDepthwiseConv2DBatchnorm: return cls(kernel, depthwise_quantizer=qb(8, "auto"), **common)
    return cls(filters, kernel, kernel_quantizer=qb(8, "auto"), **common)


def near_edges(kernel, axis):
    """Which values of a kernel are so near the edge of two codes that a last bit decides."""
    v = np.abs(kernel.astype(np.float64)); v = v / v.max(axis=axis, keepdims=True) * 127
    return np.abs(v - np.floor(v) - .5) < np.maximum(1e-5, 2.5e-7 * v)


class Case:
    def __init__(self, index, cls, x_shape, filters, kernel, stride):
        self.base, self.batch = 10_000 + 1_000 * index, 8 if KINDS[cls] == "dense" else 4
        self.layer = make(cls, filters, kernel, stride)
        self.x = tf.constant(hashed((self.batch,) + x_shape, self.base))
        self.layer.build(self.x.shape); _ = self.layer(self.x, training=False)
        self.folded, self.depthwise = hasattr(self.layer, "batchnorm"), cls is QDepthwiseConv2DBatchnorm
        self.weights = self.layer.trainable_weights
        self.kernel_stream, self.near = self.base + 10, 0

    def assign(self):
        w, (b, bn) = self.weights, (self.base, getattr(self.layer, "batchnorm", None))
        fan = np.prod(w[0].shape[:2] if self.depthwise else w[0].shape[:-1])
        w[0].assign(hashed(w[0].shape, self.kernel_stream, float(np.sqrt(3.0 / fan)) * 1.4)); w[1].assign(hashed(w[1].shape, b + 1, .05))
        if not self.folded: return
        w[2].assign(hashed(w[2].shape, b + 2, .2) + 1); w[3].assign(hashed(w[3].shape, b + 3, .1))
        bn.moving_mean.assign(hashed(w[2].shape, b + 4, .2)); bn.moving_variance.assign(hashed(w[2].shape, b + 5, .3) + 1)

    def quantized_values(self):
        """What the kernel's quantizer sees."""
        if not self.folded: return self.weights[0].numpy()
        bn = self.layer.batchnorm
        inv = (bn.gamma * tf.math.rsqrt(bn.moving_variance + bn.epsilon)).numpy()
        return (inv[:, None] if self.depthwise else inv) * self.weights[0].numpy()

    def run(self):
        """One inference and one training step."""
        inference_y = self.layer(self.x, training=False).numpy()
        up = tf.constant(hashed(inference_y.shape, self.base + 6))
        axis = None if self.depthwise else tuple(range(len(self.weights[0].shape) - 1))
        edges = near_edges(self.quantized_values(), axis)
        y, grads = self.step(self.x, up)
        self.near = int(np.sum(edges | near_edges(self.quantized_values(), axis)))
        result = dict(inference_y=inference_y, training_y=y.numpy(), grad_x=grads[0].numpy(), grad_kernel=grads[1].numpy())
        if not self.folded: return dict(result, grad_bias=grads[2].numpy())
        bn = self.layer.batchnorm
        return dict(result, grad_gamma=grads[3].numpy(), grad_beta=grads[4].numpy(), moving_mean=bn.moving_mean.numpy(), moving_variance=bn.moving_variance.numpy())

    def measure(self):
        @tf.function
        def step(x, up):
            with tf.GradientTape() as tape:
                tape.watch(x); y = self.layer(x, training=True); loss = tf.reduce_sum(y * up)
            return y, tape.gradient(loss, [x] + self.weights)
        self.step = step
        while True:
            self.assign(); result = self.run()
            if self.near <= int(np.prod(self.weights[0].shape)) * 127e-4 ** 2 / 3: return result
            self.kernel_stream += 1


def main():
    all_shapes = shapes()
    os.makedirs(golden.OUT, exist_ok=True)
    with h5py.File(os.path.join(golden.OUT, "layer_shapes.h5"), "w", libver="latest") as f:
        f.attrs["seed"] = golden.SEED
        for index, (name, (cls, x, filters, kernel, stride)) in enumerate(all_shapes.items()):
            tf.keras.backend.clear_session()
            case = Case(index, cls, x, filters, kernel, stride)
            result = case.measure()
            g = f.create_group(name)
            g.attrs.update(batch=case.batch, base=case.base, kernel_stream=case.kernel_stream, near_edges=case.near)
            for key, value in result.items(): g[key] = stored(value)
            print(index, name, f"refused {case.kernel_stream - case.base - 10} streams, {case.near} of {int(np.prod(case.weights[0].shape))} near an edge", flush=True)
    print(len(all_shapes), "shapes")


if __name__ == "__main__":
    main()
