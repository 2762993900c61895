"""Runs KerasTuner's BayesianOptimization or Optuna's TPE on the searches of bench-search.

    python search_tuners.py optuna 20 92 184 350 --output runs_optuna.csv
    python search_tuners.py kerastuner 20 --output runs_kerastuner.csv

From the top of the checkout, after `swift build -c release`. A run is a line, written as soon as it
ends; those that the file already has are not run again, so that a long comparison goes on where it
was ended. The objective is Benchmarks' own, asked through a pipe: the seeds, the noise and the
budgets are those of our tuners. Seconds are the process's time on processors. Made with Python 3.11:
KerasTuner 1.3.0, scikit-learn 1.3.2; Optuna 5.0.0.
"""

import argparse
import os
import subprocess
import time

# The matrices are small: more threads would only add to the processor's time.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

HEADER = "search,tuner,seed,trials,optimum,seconds,steps"


class Objective:
    def __init__(self, program, search, seed):
        self.process = subprocess.Popen(
            [program, "search-objective", "--search", search, "--seed", str(seed)],
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
            self.steps.append(f"{self.number}:{float(score):.6f}")
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
    import sklearn
    from keras_tuner.engine import hyperparameters, trial as trials

    # KerasTuner asks for one point at a time, 100,000 times a proposal, and a quarter of that time
    # or more goes into looking at arguments: scikit-learn's own switches leave this out. What is
    # computed stays the same.
    sklearn.set_config(assume_finite=True, skip_parameter_validation=True)
    space = hyperparameters.HyperParameters()
    names = [f"slot_{slot}" for slot in range(len(objective.cardinalities))]
    for name, count in zip(names, objective.cardinalities):
        space.Choice(name, list(range(count)), ordered=True)
    oracle = keras_tuner.oracles.BayesianOptimizationOracle(
        objective=keras_tuner.Objective("score", "max"), max_trials=objective.trials, seed=seed,
        hyperparameters=space)
    # It need not outlive the process.
    oracle.save = lambda: None
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


def finished_runs(path):
    """The (search, seed) of each line; what a killed process left of a line is cut off."""
    if not os.path.exists(path):
        with open(path, "w") as file:
            file.write(HEADER + "\n")
        return set()
    with open(path) as file:
        lines = [line for line in file if line.endswith("\n")]
    with open(path, "w") as file:
        file.writelines(lines)
    fields = [line.split(",") for line in lines[1:]]
    return {(field[0], int(field[2])) for field in fields}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tuner", choices=["optuna", "kerastuner"])
    parser.add_argument("searches", nargs="+")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first-seed", type=int, default=1001)
    parser.add_argument("--output", required=True)
    parser.add_argument("--program", default=".build/release/Benchmarks")
    options = parser.parse_args()
    run = {"optuna": optuna_run, "kerastuner": kerastuner_run}[options.tuner]
    done = finished_runs(options.output)
    for search in options.searches:
        for seed in range(options.first_seed, options.first_seed + options.seeds):
            if (search, seed) in done:
                continue
            objective = Objective(options.program, search, seed)
            start = time.process_time()
            run(objective, seed)
            seconds = time.process_time() - start
            objective.close()
            with open(options.output, "a") as file:
                file.write(
                    f"{search},{options.tuner},{seed},{objective.trials},{objective.optimum},"
                    f"{seconds:.3f},{' '.join(objective.steps)}\n")


if __name__ == "__main__":
    main()
