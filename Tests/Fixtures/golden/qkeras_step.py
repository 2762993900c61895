"""QKeras's half of `make bench`: times its quantization-aware training step in Keras's own fit loop.

    python qkeras_step.py NETWORK [--threads N] [--seconds S] [--started T] [--by-turns]

Flat 8-bit kernels and feature maps, 31-bit biases, auto_po2, batch norm folded, Adam; the networks are make_golden.py's, and so is the set-up.
Prints a line: qkeras batch=.. step_ms=.. samples_per_s=.. first_step_s=.. peak_mb=.. steps=.. process_s=.. (without waiting for turns); first_step_s counts from T (seconds of the
monotonic clock), importing TensorFlow and tracing included, to the end of the first step. With --by-turns it prints `ready` when it is warm, takes steps
for S seconds for each line of its standard input, not counting the first of them, prints `ready` again, and ends when the input does.
"""
import argparse, time
now = lambda: time.clock_gettime(time.CLOCK_MONOTONIC)
arguments = argparse.ArgumentParser()
arguments.add_argument("network"); arguments.add_argument("--threads", type=int, default=0)
arguments.add_argument("--seconds", type=float, default=5.0); arguments.add_argument("--started", type=float, default=now())
arguments.add_argument("--by-turns", action="store_true")
options = arguments.parse_args()

import sys
sys.argv = sys.argv[:1]  # make_golden reads its own arguments when it is imported
import numpy as np, tensorflow as tf
tf.config.threading.set_intra_op_parallelism_threads(options.threads); tf.config.threading.set_inter_op_parallelism_threads(options.threads)
import make_golden as golden

BATCHES = dict(fc_autoencoder=100, ds_cnn=100, resnet=30, mobilenet_v1=32, mobilenet_v2=32, efficientnet_b0=32)
LEAST_STEPS, WARM_UP, BATCHES_OF_DATA = 5, 2, 4


class Clock(tf.keras.callbacks.Callback):
    """Ends the training after so many seconds of steps beyond the warm-up, or takes turns of so many with another process."""
    def __init__(self): super().__init__(); self.first, self.times, self.turn, self.turns, self.uncounted, self.waited = None, [], [], 0, 1 + WARM_UP, 0
    def on_train_batch_begin(self, batch, logs=None): self.begun = now()
    def on_train_batch_end(self, batch, logs=None):
        end = now()
        if self.first is None: self.first = end - options.started
        if self.uncounted > 0: self.uncounted -= 1
        else: self.turn.append(end - self.begun)
        if options.by_turns: self.take_turns()
        elif len(self.turn) >= LEAST_STEPS and sum(self.turn) >= options.seconds: self.end()

    def end(self): self.times += self.turn; self.model.stop_training = True

    def take_turns(self):
        # The warm-up is no turn.
        if self.uncounted > 0 or self.turns > 0 and sum(self.turn) < options.seconds: return
        self.times += self.turn; self.turn, self.turns, self.uncounted = [], self.turns + 1, 1
        print("ready", flush=True)
        begun = now(); line = sys.stdin.readline(); self.waited += now() - begun
        if not line: self.end()


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
steps = clock.times
median = float(np.median(steps))
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM:")) / 1024
print(f"qkeras batch={batch} step_ms={median * 1e3} samples_per_s={batch / median} first_step_s={clock.first} peak_mb={peak} steps={len(steps)} process_s={now() - options.started - clock.waited}")
