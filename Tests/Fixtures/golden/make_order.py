"""TensorFlow 2.12's own sums, bit for bit, written as HDF5: what decides the order in which ours run.

Set-up: as make_golden.py's.
Run:  python make_order.py OUT_DIR [SEED]

The environment variables below make any x86-64 processor with AVX2 compute as those do that have no
AVX-512 instructions for neural networks: convolutions and batch normalization by Eigen's loops, matrix
products by the AVX2 kernels. make_golden.py's values come from such a processor; run it with the same two.
"""
import os, sys
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
os.environ["ONEDNN_MAX_CPU_ISA"] = "AVX2"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import h5py, numpy as np, tensorflow as tf

OUT = sys.argv[1] if len(sys.argv) > 1 else "."
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else 1


def hashed(shape, stream, scale=1.0):
    """make_golden.py's."""
    k = np.arange(int(np.prod(shape)), dtype=np.uint32)
    with np.errstate(over="ignore"):
        h = k * np.uint32(0x9E3779B9) + np.uint32(stream) * np.uint32(0x85EBCA6B) + np.uint32(SEED)
        h ^= h >> np.uint32(16); h *= np.uint32(0x85EBCA6B); h ^= h >> np.uint32(13)
        h *= np.uint32(0xC2B2AE35); h ^= h >> np.uint32(16)
    return ((h.astype(np.float64) / 2.0**31 - 1.0) * scale).astype(np.float32).reshape(shape)


def main(path):
    with h5py.File(path, "w") as f:
        f["seed_x"] = hashed((8,), 1)
        # y of a 1x1 convolution of hashed stream 1 with stream 2, plus the bias, stream 3.
        for depth, columns in ((96, 24), (144, 40), (320, 16), (384, 32), (576, 24), (640, 16), (960, 8)):
            y = tf.nn.conv2d(hashed((2, 3, 2, depth), 1), hashed((1, 1, depth, columns), 2), 1, "SAME")
            f[f"pointwise_{depth}_{columns}"] = tf.nn.bias_add(y, hashed((columns,), 3)).numpy()
        for kernel in (3, 5):
            for stride in (1, 2):
                y = tf.nn.depthwise_conv2d(hashed((2, 7, 6, 27), 1), hashed((kernel, kernel, 27, 1), 2), [1, stride, stride, 1], "SAME")
                f[f"depthwise_{kernel}_{stride}"] = tf.nn.bias_add(y, hashed((27,), 3)).numpy()
        # The moments of stream 1 plus the bias, stream 3, and what batch normalization makes of moving ones.
        for rows, channels in ((9, 24), (73, 27), (288, 72), (1153, 40)):
            x = tf.nn.bias_add(hashed((1, rows, 1, channels), 1), hashed((channels,), 3))
            g = f.create_group(f"moments_{rows}_{channels}")
            g["mean"], g["variance"] = [v.numpy() for v in tf.nn.moments(x, [0, 1, 2])]
            ones = np.ones(channels, np.float32)
            fused = tf.raw_ops.FusedBatchNormV3(
                x=x, scale=ones, offset=0 * ones, mean=hashed((channels,), 4), variance=hashed((channels,), 5, .5) + 1,
                epsilon=1e-3, exponential_avg_factor=1 - .99, is_training=True)
            for name, v in zip(("moving_mean", "moving_variance", "fused_mean", "fused_variance"), fused[1:5]): g[name] = v.numpy()


if __name__ == "__main__":
    main(os.path.join(OUT, "order.h5"))
