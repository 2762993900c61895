"""QKeras's half of `make bench`: times its quantization-aware training step in Keras's own fit loop.

    python qkeras_step.py NETWORK [--threads N] [--seconds S] [--started T]

Flat 8-bit kernels and feature maps, 31-bit biases, auto_po2, batch norm folded, Adam; the networks are make_golden.py's, and so is the set-up.
Prints a line: qkeras batch=.. step_ms=.. samples_per_s=.. first_step_s=.. peak_mb=.. steps=.. process_s=..; first_step_s counts from T (seconds of the
monotonic clock), importing TensorFlow and tracing included, to the end of the first step.
"""
import argparse, time
now = lambda: time.clock_gettime(time.CLOCK_MONOTONIC)
arguments = argparse.ArgumentParser()
arguments.add_argument("network"); arguments.add_argument("--threads", type=int, default=0)
arguments.add_argument("--seconds", type=float, default=5.0); arguments.add_argument("--started", type=float, default=now())
options = arguments.parse_args()

import sys
sys.argv = sys.argv[:1]  # make_golden reads its own arguments when it is imported
import numpy as np, tensorflow as tf
tf.config.threading.set_intra_op_parallelism_threads(options.threads); tf.config.threading.set_inter_op_parallelism_threads(options.threads)
import make_golden as golden

BATCHES = dict(fc_autoencoder=100, ds_cnn=100, resnet=30, mobilenet_v1=32, mobilenet_v2=32, efficientnet_b0=32)
LEAST_STEPS, WARM_UP, BATCHES_OF_DATA = 5, 2, 4


class Clock(tf.keras.callbacks.Callback):
    """Ends the training after so many seconds of steps beyond the warm-up."""
    def __init__(self): super().__init__(); self.first, self.times = None, []
    def on_train_batch_begin(self, batch, logs=None): self.begun = now()
    def on_train_batch_end(self, batch, logs=None):
        end = now()
        if self.first is None: self.first = end - options.started
        self.times.append(end - self.begun)
        steps = self.times[1 + WARM_UP:]
        if len(steps) >= LEAST_STEPS and sum(steps) >= options.seconds: self.model.stop_training = True


if options.network not in BATCHES: sys.exit(f"no network is called {options.network}: one of {', '.join(BATCHES)}")
batch = BATCHES[options.network]
model = getattr(golden, options.network)(golden.Bits(8, 8, 31, "auto_po2"))
decodes = model.input_shape == model.output_shape
model.compile(tf.keras.optimizers.Adam(1e-3), "mse" if decodes else "sparse_categorical_crossentropy")
samples = batch * BATCHES_OF_DATA
x = np.random.default_rng(0).random((samples,) + model.input_shape[1:], dtype=np.float32)
y = x if decodes else np.random.default_rng(1).integers(0, model.output_shape[-1], samples)
clock = Clock()
model.fit(x, y, batch_size=batch, epochs=1_000_000, verbose=0, callbacks=[clock])
steps = clock.times[1 + WARM_UP:]
median = float(np.median(steps))
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM:")) / 1024
print(f"qkeras batch={batch} step_ms={median * 1e3} samples_per_s={batch / median} first_step_s={clock.first} peak_mb={peak} steps={len(steps)} process_s={now() - options.started}")
