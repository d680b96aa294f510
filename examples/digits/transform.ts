// From an uploaded image to what the model takes, and back: what features.py does in training. All else is in the graph.
import type { Transform } from 'inlay/transform';
import { cellsOf } from './transform/cells.ts';
import { luminanceOf } from './transform/luminance.ts';

export default {
  accepts: ['image/png', 'image/jpeg'],

  preprocess({ bytes, contentType }, model) {
    const cells = cellsOf(luminanceOf(bytes, contentType, model));
    if (!cells) throw model.badRequest('the image is empty: there is no digit in it', 'Send one digit on plain paper.');
    return { cells: { data: cells, shape: [1, cells.length] } };
  },

  postprocess({ output_probability }, { labels }) {
    const probabilities = output_probability?.data as Float32Array;
    const best = probabilities.indexOf(Math.max(...probabilities));
    return { prediction: probabilities, label: labels[best] };
  },
} satisfies Transform;
