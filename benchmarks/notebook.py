"""The notebook's own procedure, in one process: what the pipeline is compared with.

    PYTHONPATH=src python -m benchmarks.notebook data/prepared/mnist

Cells 4 to 9 of the notebook, statement by statement: networks over width × training-set size, each
step's gradient and update dispatched operation by operation; then the NNGP's predictions at each
time by ``neural_tangents.predict``. Only what no longer runs is changed: the images come from the
prepared arrays, and neural-tangents through this project's compatibility module. Types are added.
Nothing is plotted. Prints the seconds of both halves.
"""

import argparse
import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import jax.numpy as jnp
import numpy
import numpy.random as npr
import pandas as pd
from jax import Array, grad, random
from jax.example_libraries import optimizers, stax
from jax.example_libraries.stax import Dense, LogSoftmax, Relu
from numpy.typing import NDArray

from ntk_mnist.neural_tangents_compat import predict as nt_predict
from ntk_mnist.neural_tangents_compat import stax as nt_stax

widths = [2**i for i in range(6, 12)]
dataset_size = [2**i for i in range(6, 12)]
times = [10**i for i in range(1, 8)]
batch_size = 64

Images: TypeAlias = NDArray[numpy.float32]
#: Images and one-hot labels.
Batch: TypeAlias = tuple[Images, Images]
Predict: TypeAlias = Callable[[Any, Images], Array]


def mnist(folder: str) -> tuple[Images, Images, Images, Images]:
    def images(name: str) -> Images:
        pixels = numpy.load(f"{folder}/{name}_images.npy")
        if pixels.shape[1] < 28 * 28:
            # A smaller dataset, with which a test runs this; the networks are for 28 × 28 pixels.
            pixels = numpy.pad(pixels, ((0, 0), (0, 28 * 28 - pixels.shape[1])))
        return (pixels / 255).astype(numpy.float32)

    def labels(name: str) -> Images:
        one_hot = numpy.load(f"{folder}/{name}_labels.npy")[:, None] == numpy.arange(10)
        return one_hot.astype(numpy.float32)

    return images("train"), labels("train"), images("test")[:1000], labels("test")[:1000]


def loss(params: Any, batch: Batch, predict: Predict) -> Array:
    inputs, targets = batch
    preds = predict(params, inputs)
    return -jnp.mean(jnp.sum(preds * targets, axis=1))


def accuracy(params: Any, batch: Batch, predict: Predict) -> Array:
    inputs, targets = batch
    target_class = jnp.argmax(targets, axis=1)
    predicted_class = jnp.argmax(predict(params, inputs), axis=1)
    return jnp.mean(predicted_class == target_class)


def get_nn(width: int) -> Any:
    return stax.serial(Dense(width), Relu, Dense(width), Relu, Dense(10), LogSoftmax)


def data_stream(train_images_n: Images, train_labels_n: Images) -> Iterator[Batch]:
    num_train = len(train_labels_n)
    num_batches = num_train // batch_size
    rng = npr.RandomState(0)
    while True:
        perm = rng.permutation(num_train)
        for i in range(num_batches):
            batch_idx = perm[i * batch_size : (i + 1) * batch_size]
            yield train_images_n[batch_idx], train_labels_n[batch_idx]


def df_append(df: pd.DataFrame, data: list[Any]) -> None:
    df.loc[len(df)] = data


def run_NN() -> pd.DataFrame:
    df_columns = ["activation", "dataset_size", "width", "training_accuracy", "test_accuracy"]
    nn_evaluate = pd.DataFrame(columns=df_columns)
    for width in widths:
        for num_train in dataset_size:
            init_random_params, predict = get_nn(width)
            rng = random.PRNGKey(0)
            train_images_n, train_labels_n = train_images[:num_train], train_labels[:num_train]
            num_batches = num_train // batch_size
            batches = data_stream(train_images_n, train_labels_n)
            opt_update: Any
            opt_init, opt_update, get_params = optimizers.momentum(step_size=0.001, mass=0.9)
            _, init_params = init_random_params(rng, (-1, 28 * 28))
            opt_state = opt_init(init_params)
            itercount = itertools.count()
            for _ in range(20):
                for _ in range(num_batches):
                    opt_state = opt_update(
                        iter(itercount),
                        grad(loss)(get_params(opt_state), next(batches), predict),
                        opt_state,
                    )
            params = get_params(opt_state)
            train_acc = numpy.array(accuracy(params, (train_images_n, train_labels_n), predict))
            test_acc = numpy.array(accuracy(params, (test_images, test_labels), predict))
            df_append(nn_evaluate, ["relu", num_train, width, train_acc, test_acc])
    return nn_evaluate


def nt_accuracy(prediction: Any, test_labels: Images) -> Array:
    hits = jnp.argmax(prediction, axis=1) == jnp.argmax(test_labels, axis=1)
    return jnp.sum(hits) / prediction.shape[0]


def NTK() -> pd.DataFrame:
    _, _, kernel_fn = nt_stax.serial(
        nt_stax.Dense(64), nt_stax.Relu(), nt_stax.Dense(64), nt_stax.Relu(), nt_stax.Dense(64)
    )
    df_columns = [
        "activation",
        "time",
        "dataset_size",
        "width",
        "training_accuracy",
        "test_accuracy",
    ]
    gp_evaluate = pd.DataFrame(columns=df_columns)
    for num_train in dataset_size:
        train_images_n, train_labels_n = train_images[:num_train], train_labels[:num_train]
        predict_fn = nt_predict.gradient_descent_mse_ensemble(
            kernel_fn, train_images_n, train_labels_n
        )
        for t in [*times, None]:
            prediction = predict_fn(t, train_images_n, get="nngp")
            train_acc = numpy.array(nt_accuracy(prediction, train_labels_n))
            prediction = predict_fn(t, test_images, get="nngp")
            test_acc = numpy.array(nt_accuracy(prediction, test_labels))
            df_append(gp_evaluate, ["relu", t or 0, num_train, 0, train_acc, test_acc])
    return gp_evaluate


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="The notebook's own procedure.")
    parser.add_argument("folder", help="of the prepared arrays")
    parser.add_argument("--widths", type=int, nargs="+", default=widths)
    parser.add_argument("--sizes", type=int, nargs="+", default=dataset_size)
    options = parser.parse_args()
    widths, dataset_size = options.widths, options.sizes
    train_images, train_labels, test_images, test_labels = mnist(options.folder)
    started = time.perf_counter()
    run_NN()
    trained = time.perf_counter()
    NTK()
    solved = time.perf_counter()
    print(f"networks {trained - started:.1f} s, kernels {solved - trained:.1f} s")
