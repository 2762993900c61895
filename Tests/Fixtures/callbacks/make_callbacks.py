"""Writes callbacks.json beside itself: what Keras's own callbacks, schedules, optimizers and
scikit-learn's metrics do with hashed and awkward inputs.

Needs Keras/TensorFlow 2.12 and scikit-learn 1.3:

    python make_callbacks.py

Every case drives the real classes: a callback is given a model-shaped object with the optimizer's
variable, and its hooks in the order of Model.fit. NaN and infinities are the strings "nan", "inf",
"-inf"; float32 numbers are written as the shortest decimals that read back as them.
"""

import json
import math
import os
import tempfile

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf
from sklearn.metrics import roc_auc_score

K = tf.keras.callbacks
HERE = os.path.dirname(os.path.abspath(__file__))


def hashed(count, stream, scale=1.0, seed=1):
    """Uniform float32 in [-scale, scale): murmur3's finalizer, as in golden/make_golden.py."""
    with np.errstate(over="ignore"):
        h = (np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B9)
             + np.uint32(stream) * np.uint32(0x85EBCA6B) + np.uint32(seed))
        h ^= h >> np.uint32(16)
        h *= np.uint32(0x85EBCA6B)
        h ^= h >> np.uint32(13)
        h *= np.uint32(0xC2B2AE35)
        h ^= h >> np.uint32(16)
    return ((h / 2147483648.0 - 1.0) * scale).astype(np.float32)


def number(value):
    value = float(str(value)) if isinstance(value, np.float32) else float(value)
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return value


class Model:
    """What the callbacks touch of a Keras model."""

    def __init__(self, rate):
        self.optimizer = tf.keras.optimizers.legacy.SGD(learning_rate=rate)
        self.stop_training = False
        self.weights_epoch = -1
        self.saved_epoch = None
        self.distribute_strategy = tf.distribute.get_strategy()

    def get_weights(self):
        return self.weights_epoch

    def set_weights(self, weights):
        self.weights_epoch = weights

    def save_weights(self, path, overwrite=True, options=None):
        self.saved_epoch = self.weights_epoch

    @property
    def rate(self):
        return tf.keras.backend.get_value(self.optimizer.lr)


NAN, INF = float("nan"), float("inf")


def sequences():
    """Loss-like sequences: hashed walks, ties, plateaus, NaN, infinities, steps near min_delta."""
    yield "falling", [1.0 / (i + 1) for i in range(14)]
    yield "rising", [0.1 * i + 0.2 for i in range(12)]
    yield "ties", [0.5, 0.5, 0.4, 0.4, 0.4, 0.4, 0.4, 0.4, 0.3, 0.3, 0.3, 0.3]
    yield "constant", [0.7] * 14
    yield "nan_first", [NAN, NAN, 0.9, 0.8, NAN, 0.7, NAN, NAN, NAN, NAN, 0.1]
    yield "all_nan", [NAN] * 9
    yield "infinite", [INF, INF, 5.0, -INF, -INF, 4.0, 3.0, 2.0]
    yield "near_delta", [1.0, 0.9, 0.8, 0.7, 0.6, 0.6001, 0.59995, 0.5, 0.4999, 0.49985, 0.3, 0.2999]
    yield "tenths", [round(1.0 - 0.1 * i, 10) for i in range(11)]
    for stream in range(8):
        noise = [float(x) for x in hashed(18, 50 + stream, 0.3)]
        yield f"walk_{stream}", [1.0 / (1 + 0.3 * i) + n for i, n in enumerate(noise)]


def early_stopping():
    settings = []
    for mode in ("min", "max"):
        for patience, delta in ((0, 0.0), (1, 0.0), (2, 0.0), (3, 0.1), (2, 0.0001), (5, 0.05)):
            settings.append(dict(mode=mode, patience=patience, min_delta=delta))
    settings += [
        dict(mode="min", patience=2, min_delta=0.0, baseline=0.35),
        dict(mode="max", patience=3, min_delta=0.05, baseline=0.8),
        dict(mode="min", patience=1, min_delta=0.0, start_from_epoch=4),
        dict(mode="min", patience=0, min_delta=0.0, start_from_epoch=1),
        dict(mode="max", patience=2, min_delta=0.1, baseline=0.5, start_from_epoch=3),
    ]
    for name, values in sequences():
        for setting in settings:
            model = Model(0.1)
            callback = K.EarlyStopping(
                monitor="val_loss", restore_best_weights=True, **setting)
            callback.set_model(model)
            callback.on_train_begin()
            waits, stop = [], None
            for epoch, value in enumerate(values):
                model.weights_epoch = epoch
                callback.on_epoch_end(epoch, {"val_loss": value})
                waits.append(callback.wait)
                if model.stop_training:
                    stop = epoch
                    break
            yield dict(sequence=name, **setting, waits=waits, stop=stop,
                       best=number(callback.best), best_epoch=callback.best_epoch,
                       restored=model.weights_epoch if stop is not None else None)


def checkpoints():
    for name, values in sequences():
        for mode in ("min", "max"):
            model = Model(0.1)
            with tempfile.TemporaryDirectory() as folder:
                callback = K.ModelCheckpoint(
                    os.path.join(folder, "w"), monitor="val_loss", mode=mode,
                    save_best_only=True, save_weights_only=True)
                callback.set_model(model)
                callback.on_train_begin()
                saved = []
                for epoch, value in enumerate(values):
                    model.weights_epoch = epoch
                    callback.on_epoch_begin(epoch)
                    callback.on_epoch_end(epoch, {"val_loss": value})
                    saved.append(model.saved_epoch)
            yield dict(sequence=name, mode=mode, saved=saved)


SCHEDULES = {
    "exponential": lambda epoch: 0.001 * 0.99 ** epoch,
    "steps": lambda epoch: 5e-4 if epoch < 3 else 1e-4 if epoch < 7 else 2e-5,
}


def plateaus():
    settings = [
        dict(mode="min", factor=0.1, patience=10, min_delta=1e-4, cooldown=0, min_lr=0.0),
        dict(mode="min", factor=0.5, patience=0, min_delta=0.0, cooldown=0, min_lr=0.0),
        dict(mode="min", factor=0.3, patience=1, min_delta=0.0, cooldown=2, min_lr=1e-4),
        dict(mode="min", factor=0.7, patience=2, min_delta=0.1, cooldown=1, min_lr=0.0),
        dict(mode="max", factor=0.2, patience=2, min_delta=1e-4, cooldown=0, min_lr=3e-6),
        dict(mode="max", factor=0.9, patience=1, min_delta=0.05, cooldown=3, min_lr=0.0005),
        dict(mode="min", factor=0.0, patience=1, min_delta=0.0, cooldown=0, min_lr=0.0),
    ]
    for name, values in sequences():
        for index, setting in enumerate(settings):
            for schedule in (None, "exponential", "steps"):
                if schedule and index not in (1, 3):
                    continue
                model = Model(0.001)
                callback = K.ReduceLROnPlateau(monitor="val_loss", **setting)
                every = [callback]
                if schedule:
                    every.insert(0, K.LearningRateScheduler(SCHEDULES[schedule]))
                for one in every:
                    one.set_model(model)
                    one.on_train_begin()
                rates, waits, cooldowns = [], [], []
                for epoch, value in enumerate(values):
                    for one in every:
                        one.on_epoch_begin(epoch)
                    rates.append(number(model.rate))
                    for one in every:
                        one.on_epoch_end(epoch, {"val_loss": value})
                    waits.append(callback.wait)
                    cooldowns.append(callback.cooldown_counter)
                yield dict(sequence=name, schedule=schedule, **setting, rates=rates, waits=waits,
                           cooldowns=cooldowns, best=number(callback.best))


def scheduled(schedule, epochs):
    model = Model(0.5)
    callback = K.LearningRateScheduler(schedule)
    callback.set_model(model)
    rates = []
    for epoch in range(epochs):
        callback.on_epoch_begin(epoch)
        rates.append(number(model.rate))
    return rates


def schedules():
    for initial, decay in ((0.001, 0.99), (0.01, 0.9), (2.5e-4, 0.5), (0.1, 0.977)):
        yield dict(kind="exponential", initial=initial, decay=decay,
                   rates=scheduled(lambda e: initial * decay ** e, 60))
    for initial, alpha, epochs in ((0.001, 0.0, 50), (0.1, 0.1, 7), (3e-4, 0.01, 33), (1.0, 0.5, 1),
                                   (0.05, 0.333, 100)):
        decay = tf.keras.optimizers.schedules.CosineDecay(initial, epochs, alpha=alpha)
        yield dict(kind="cosine", initial=initial, alpha=alpha, decay_epochs=epochs,
                   rates=scheduled(decay, epochs + 5))
    table = [0.1, 0.05, 1e-3, 3e-7]
    yield dict(kind="table", table=table,
               rates=scheduled(lambda e: table[min(e, len(table) - 1)], 7))
    yield dict(kind="piecewise", table=[5e-4, 1e-4, 2e-5],
               rates=scheduled(SCHEDULES["steps"], 10))


def optimizers():
    """Three steps of SGD on hashed gradients; the weights after each step."""
    count = 19
    for momentum in (0.0, 0.9, 0.5):
        for nesterov in (False, True):
            optimizer = tf.keras.optimizers.legacy.SGD(
                learning_rate=0.05, momentum=momentum, nesterov=nesterov)
            weights = tf.Variable(hashed(count, 3))
            steps = []
            for step in range(4):
                tf.keras.backend.set_value(optimizer.lr, 0.05 * 0.7 ** step)
                gradient = tf.constant(hashed(count, 10 + step, 2.0))
                optimizer.apply_gradients([(gradient, weights)])
                steps.append([number(x) for x in weights.numpy()])
            yield dict(momentum=momentum, nesterov=nesterov, steps=steps)


def curves():
    """ROC areas of hashed scores with and without ties (rounded to 1/levels), and of given ones."""
    for case, (count, levels) in enumerate(
            ((10, 0), (200, 0), (200, 5), (1000, 12), (50, 2), (333, 0), (60, 1), (40, 3))):
        raw = hashed(count, 200 + case)
        labels = (hashed(count, 300 + case) + 0.4 * raw > 0.1).astype(int)
        scores = np.round(raw * levels) / levels if levels else raw
        scores = scores.astype(np.float32)
        areas = {str(f): float(roc_auc_score(labels, scores, max_fpr=f))
                 for f in (0.1, 0.01, 0.5, 0.9, 1.0)}
        yield dict(count=count, levels=levels, positives=int(labels.sum()),
                   area=float(roc_auc_score(labels, scores)), standardized=areas)
    for labels in ([0, 0, 1, 1], [1, 1, 0, 0], [0, 1, 0, 1]):
        scores = [0.1, 0.2, 0.3, 0.4]
        yield dict(scores=scores, labels=labels, area=float(roc_auc_score(labels, scores)),
                   standardized={"0.1": float(roc_auc_score(labels, scores, max_fpr=0.1)),
                                 "0.5": float(roc_auc_score(labels, scores, max_fpr=0.5))})


def fits():
    """Model.fit on one weight whose loss is given by hand: which epochs and batches run, and what
    CSVLogger writes, with TerminateOnNaN and the other callbacks in their usual order."""
    for name, losses in (
            ("nan_in_the_second_epoch", [[1.0, 2.0], [3.0, NAN], [1.0, 1.0]]),
            ("infinite_at_once", [[INF, 1.0], [1.0, 1.0]]),
            ("none", [[1.0, 0.5], [0.25, 0.75], [2.0, 1.0]])):
        flat = np.array([x for epoch in losses for x in epoch], np.float32)
        position = tf.Variable(0)
        seen = []

        class Given(tf.keras.Model):
            def __init__(self):
                super().__init__()
                self.w = self.add_weight(shape=(), initializer="zeros", name="w")
                self.mean = tf.keras.metrics.Mean(name="loss")

            @property
            def metrics(self):
                return [self.mean]

            def train_step(self, data):
                with tf.GradientTape() as tape:
                    loss = self.w * 0 + tf.gather(flat, position)
                position.assign_add(1)
                self.optimizer.minimize(loss, [self.w], tape=tape)
                self.mean.update_state(loss)
                return {"loss": self.mean.result()}

        class Count(K.Callback):
            def on_train_batch_end(self, batch, logs=None):
                seen.append(batch)

        model = Given()
        model.compile(tf.keras.optimizers.legacy.SGD(0.25), run_eagerly=True)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "log.csv")
            model.fit(
                np.zeros((2, 1), np.float32), batch_size=1, epochs=len(losses), verbose=0,
                shuffle=False,
                callbacks=[K.LearningRateScheduler(lambda e: 0.25 * 0.5 ** e), K.CSVLogger(path),
                           K.TerminateOnNaN(), Count()])
            text = open(path, newline="").read()
        yield dict(name=name, losses=[[number(x) for x in epoch] for epoch in losses],
                   batches=len(seen), csv=text)


def main():
    data = dict(
        sequences={name: [number(v) for v in values] for name, values in sequences()},
        early_stopping=list(early_stopping()), checkpoints=list(checkpoints()),
        plateaus=list(plateaus()), schedules=list(schedules()), optimizers=list(optimizers()),
        curves=list(curves()), fits=list(fits()))
    # A case a line.
    parts = []
    for key, value in data.items():
        if isinstance(value, dict):
            rows = [f"{json.dumps(k)}: {json.dumps(v)}" for k, v in value.items()]
            parts.append(f"{json.dumps(key)}: {{\n" + ",\n".join(rows) + "\n}")
        else:
            rows = [json.dumps(row) for row in value]
            parts.append(f"{json.dumps(key)}: [\n" + ",\n".join(rows) + "\n]")
    with open(os.path.join(HERE, "callbacks.json"), "w") as file:
        file.write("{\n" + ",\n".join(parts) + "\n}\n")


main()
