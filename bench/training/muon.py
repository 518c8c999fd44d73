"""Muon for convolutional networks: momentum, made orthogonal.

Jordan et al. 2024, https://kellerjordan.github.io/posts/muon: the momentum of a weight matrix is
replaced by the nearest semi-orthogonal matrix, found by five Newton-Schulz iterations. Keras's own
Muon takes matrices only and would silently train convolutions with AdamW; as in the authors'
CIFAR-10 records, a kernel (height, width, in, out) is here a matrix (height * width * in, out).
"""

import keras
from keras import ops

from bench.interfaces import Tensor

OTHERS_RATE = 0.25  # of the learning rate: AdamW's share, for what is no matrix


@keras.saving.register_keras_serializable("latent_lab")
class ConvolutionMuon(keras.optimizers.Muon):
    """Keras's Muon, with convolution kernels as matrices.

    The first layer (one input channel), biases, normalisation and dense layers get AdamW: their
    matrices are no hidden features, which is what Muon is for.
    """

    def _should_use_adamw(self, variable: keras.Variable) -> bool:
        return len(variable.shape) != 4 or variable.shape[2] == 1

    def _muon_update_step(
        self, gradient: Tensor, variable: keras.Variable, lr: Tensor, m: keras.Variable
    ) -> None:
        self.assign_add(m, ops.add(gradient, m * (self.momentum - 1)))
        ahead = ops.add(gradient, self.momentum * m) if self.nesterov else m
        matrix = ops.reshape(ahead, (-1, variable.shape[-1]))
        step = self.lr_adjust(lr * self.zeropower_via_newtonschulz5(matrix, self.ns_steps))
        self.assign_sub(variable, ops.reshape(step, variable.shape))
