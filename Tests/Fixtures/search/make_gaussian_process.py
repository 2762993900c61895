"""Posteriors, likelihoods and acquisition minima of scikit-learn and SciPy, as KerasTuner's
BayesianOptimization uses them, on random histories.

    python make_gaussian_process.py > gaussian_process.json

Made with Python 3.11, scikit-learn 1.3.2, SciPy 1.10.1, NumPy 1.23.5.
"""

import json
import warnings

import numpy as np
import scipy.optimize
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Matern

BETA = 2.6


def history(random, trials, dimensions):
    """Indices of candidates and scores with slopes, a pair of interactions and noise."""
    cardinalities = random.choice([2, 3], size=dimensions, p=[0.25, 0.75])
    indices = random.integers(0, cardinalities, size=(trials, dimensions))
    points = (indices + 0.5) / cardinalities
    slopes = random.normal(size=dimensions)
    values = points @ slopes + 2 * points[:, 0] * points[:, -1]
    return cardinalities, indices, points, values + 0.1 * random.normal(size=trials)


def posterior_case(random, trials, dimensions, scale):
    cardinalities, indices, points, values = history(random, trials, dimensions)
    process = GaussianProcessRegressor(
        kernel=Matern(length_scale=scale, nu=2.5), optimizer=None, normalize_y=True, alpha=1e-4)
    process.fit(points, values)
    queries = np.round(random.uniform(size=(6, dimensions)), 3)
    queries[0] = points[0]
    mean, deviation = process.predict(queries, return_std=True)
    return {
        "cardinalities": cardinalities.tolist(), "indices": indices.tolist(),
        "values": values.tolist(), "length_scale": scale, "queries": queries.tolist(),
        "mean": mean.tolist(), "deviation": deviation.tolist(),
        "likelihood": process.log_marginal_likelihood(np.log([scale])),
    }


def search_case(random, trials, dimensions):
    """What KerasTuner does for a proposal: the fit, and the bound's minimum of all starts."""
    cardinalities, indices, points, values = history(random, trials, dimensions)
    process = GaussianProcessRegressor(
        kernel=Matern(nu=2.5), n_restarts_optimizer=20, normalize_y=True, alpha=1e-4,
        random_state=1)
    process.fit(points, values)

    def bound(x):
        mean, deviation = process.predict(x.reshape(1, -1), return_std=True)
        return (mean - BETA * deviation)[0]

    starts = np.round(random.uniform(size=(50, dimensions)), 3)
    minima = [
        scipy.optimize.minimize(bound, x0=x, bounds=[(0, 1)] * dimensions, method="L-BFGS-B").fun
        for x in starts
    ]
    return {
        "cardinalities": cardinalities.tolist(), "indices": indices.tolist(),
        "values": values.tolist(), "length_scale": process.kernel_.length_scale,
        "likelihood": process.log_marginal_likelihood_value_,
        "starts": starts.tolist(), "minimum": float(min(minima)),
    }


def main():
    warnings.simplefilter("ignore")
    random = np.random.default_rng(2024)
    posteriors = [
        posterior_case(random, *case)
        for case in [(1, 2, 0.7), (15, 3, 0.4), (40, 12, 1.0), (60, 20, 25.0), (80, 92, 3.5),
                     (100, 8, 0.05)]
    ]
    searches = [search_case(random, *case) for case in [(20, 4), (60, 12), (90, 20), (300, 92)]]
    print(json.dumps({"posteriors": posteriors, "searches": searches}, separators=(",", ":")))


if __name__ == "__main__":
    main()
