// Evaluates a decoder that `bench/report/explorer/decoders.py` packed: places of a map in, an image out.
"use strict";
globalThis.latentLab = {};
(() => {
  const bytesOf = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

  const half = (bits) => {
    const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023;
    return exponent ? sign * 2 ** (exponent - 15) * (1 + fraction / 1024) : sign * 2 ** -14 * (fraction / 1024);
  };

  // Numbers of 2 bytes (16-bit floats) or 3 (the upper bytes of 32-bit floats), the lowest byte first.
  const numbers = (bytes, start, count, width) => {
    const found = new Float32Array(count), bits = new DataView(found.buffer);
    for (let k = 0, at = start; k < count; k++, at += width) {
      if (width === 2) found[k] = half(bytes[at] | (bytes[at + 1] << 8));
      else bits.setUint32(4 * k, ((bytes[at] << 8) | (bytes[at + 1] << 16) | (bytes[at + 2] << 24)) >>> 0, true);
    }
    return found;
  };

  // erf by Abramowitz and Stegun, 7.1.26: off by at most 1.5e-7
  const erf = (x) => {
    const t = 1 / (1 + 0.3275911 * Math.abs(x));
    const tail = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
    return Math.sign(x) * (1 - tail * Math.exp(-x * x));
  };
  const activations = {
    linear: null,
    relu: (x) => (x > 0 ? x : 0),
    gelu: (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
    sigmoid: (x) => 1 / (1 + Math.exp(-x)),
    tanh: Math.tanh,
  };

  // Values of a map stand row by row, and in each pixel channel by channel.
  const steps = {
    dense(given, layer) {
      const [kernel, bias] = layer.arrays, values = Float32Array.from(bias), units = bias.length;
      given.values.forEach((value, i) => {
        if (value !== 0) for (let j = 0, at = i * units; j < units; j++) values[j] += value * kernel[at + j];
      });
      return { shape: [units], values };
    },
    conv(given, layer) {
      const [kernel, bias] = layer.arrays, [high, wide, inputs, filters] = layer.weights[0].shape;
      const [rows, columns] = given.shape, values = new Float32Array(rows * columns * filters);
      // an even kernel reaches one pixel further to the lower right
      const up = (high - 1) >> 1, left = (wide - 1) >> 1;
      for (let y = 0, out = 0; y < rows; y++) for (let x = 0; x < columns; x++, out += filters) {
        values.set(bias, out);
        for (let i = 0; i < high; i++) for (let j = 0; j < wide; j++) {
          const row = y + i - up, column = x + j - left;
          if (row < 0 || column < 0 || row >= rows || column >= columns) continue;
          for (let c = 0, from = (row * columns + column) * inputs, at = (i * wide + j) * inputs * filters; c < inputs; c++, at += filters) {
            const value = given.values[from + c];
            if (value !== 0) for (let f = 0; f < filters; f++) values[out + f] += value * kernel[at + f];
          }
        }
      }
      return { shape: [rows, columns, filters], values };
    },
    scale(given, layer) {
      const [factor, shift] = layer.arrays, channels = factor.length;
      return { shape: given.shape, values: given.values.map((value, k) => value * factor[k % channels] + shift[k % channels]) };
    },
    up(given, layer) {
      const [rows, columns, channels] = given.shape, [down, across] = layer.shape;
      const values = new Float32Array(given.values.length * down * across);
      for (let y = 0, out = 0; y < rows * down; y++) for (let x = 0; x < columns * across; x++) {
        const from = (Math.floor(y / down) * columns + Math.floor(x / across)) * channels;
        for (let c = 0; c < channels; c++) values[out++] = given.values[from + c];
      }
      return { shape: [rows * down, columns * across, channels], values };
    },
    reshape: (given, layer) => ({ shape: layer.shape, values: given.values }),
    activation: (given) => given,
  };

  // Returns a function from a place (two numbers) to the pixels of its image, 0 to 1, row by row.
  latentLab.decoder = (packed) => {
    const bytes = bytesOf(packed.weights);
    let at = 0;
    const layers = packed.layers.map((layer) => ({
      ...layer,
      arrays: layer.weights.map(({ shape, bytes: width }) => {
        const count = shape.reduce((a, b) => a * b, 1), found = numbers(bytes, at, count, width);
        at += count * width;
        return found;
      }),
    }));
    return (place) => {
      let given = { shape: [place.length], values: Float32Array.from(place) };
      for (const layer of layers) {
        given = steps[layer.kind](given, layer);
        const activation = activations[layer.activation];
        if (activation) given.values = given.values.map(activation);
      }
      return given.values;
    };
  };

  latentLab.floats = (text) => new Float32Array(bytesOf(text).buffer);
})();
