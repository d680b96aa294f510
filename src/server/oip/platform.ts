/** The protocol's word for a kind of model: a graph of ONNX, in its first format. */
export const PLATFORM = 'onnx_onnxv1';
