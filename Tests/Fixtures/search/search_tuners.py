"""Runs KerasTuner's BayesianOptimization or Optuna's TPE on the made searches of bench-search.

    python search_tuners.py optuna --slots 20 --seeds 20 > runs_optuna.csv
    python search_tuners.py kerastuner --slots 20 --seeds 20 > runs_kerastuner.csv

From the top of the checkout, after `swift build -c release`; a line a run, as soon as it ends. The
objective is Benchmarks' own, asked through a pipe: the seeds, the noise and the budgets are those
of our tuners. Made with Python 3.11: KerasTuner 1.3.0, scikit-learn 1.3.2; Optuna 5.0.0.
"""

import argparse
import subprocess
import time


class Objective:
    def __init__(self, program, slots, seed):
        self.process = subprocess.Popen(
            [program, "search-objective", "--slots", str(slots), "--seed", str(seed)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.cardinalities = [int(word) for word in self.process.stdout.readline().split()]
        trials, optimum = self.process.stdout.readline().split()
        self.trials, self.optimum = int(trials), optimum
        self.best = float("-inf")
        self.steps = []
        self.number = 0

    def __call__(self, selection):
        """The score with noise; a trial that looks better than all before is noted."""
        self.process.stdin.write(" ".join(str(index) for index in selection) + "\n")
        self.process.stdin.flush()
        observed, score = self.process.stdout.readline().split()
        if float(observed) > self.best:
            self.best = float(observed)
            self.steps.append(f"{self.number}:{score}")
        self.number += 1
        return float(observed)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def optuna_run(objective, seed):
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(
        direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
    for _ in range(objective.trials):
        trial = study.ask()
        selection = [
            trial.suggest_int(f"slot_{slot}", 0, count - 1)
            for slot, count in enumerate(objective.cardinalities)
        ]
        study.tell(trial, objective(selection))


def kerastuner_run(objective, seed):
    import keras_tuner
    from keras_tuner.engine import hyperparameters, metrics_tracking, trial as trials

    space = hyperparameters.HyperParameters()
    names = [f"slot_{slot}" for slot in range(len(objective.cardinalities))]
    for name, count in zip(names, objective.cardinalities):
        space.Choice(name, list(range(count)), ordered=True)
    oracle = keras_tuner.oracles.BayesianOptimizationOracle(
        objective=keras_tuner.Objective("score", "max"), max_trials=objective.trials, seed=seed,
        hyperparameters=space)
    oracle._save_trial = lambda trial: None
    for _ in range(objective.trials):
        trial = oracle.create_trial("tuner0")
        if trial.status == trials.TrialStatus.STOPPED:
            break
        values = trial.hyperparameters.values
        score = objective([values[name] for name in names])
        oracle.update_trial(trial.trial_id, {"score": score})
        trial.status = trials.TrialStatus.COMPLETED
        oracle.end_trial(trial)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tuner", choices=["optuna", "kerastuner"])
    parser.add_argument("--slots", type=int, required=True)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first-seed", type=int, default=1001)
    parser.add_argument("--program", default=".build/release/Benchmarks")
    options = parser.parse_args()
    run = {"optuna": optuna_run, "kerastuner": kerastuner_run}[options.tuner]
    print("tuner,slots,seed,trials,optimum,seconds,steps")
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        objective = Objective(options.program, options.slots, seed)
        start = time.monotonic()
        run(objective, seed)
        seconds = time.monotonic() - start
        objective.close()
        print(
            f"{options.tuner},{options.slots},{seed},{objective.trials},{objective.optimum},"
            f"{seconds:.3f},{' '.join(objective.steps)}", flush=True)


if __name__ == "__main__":
    main()
