import { type AnyContract, type Contract, isOpaque, type OpaqueContract } from '../contract/index.ts';

/**
 * A model card as CycloneDX 1.6 has it (bom-1.6.schema.json, `modelCard`). The library has no class for it. What training
 * imported has no place of its own there: properties.
 */
export function modelCard(contract: AnyContract) {
  const format = ({ name, datatype, shape }: Contract['inputs'][number]) => ({
    format: `${name} ${datatype} [${shape.join(', ')}]`,
  });
  const metrics = Object.entries(contract.metrics ?? {});
  return {
    modelParameters: {
      task: contract.task,
      inputs: contract.inputs.map(format),
      outputs: contract.outputs.map(format),
    },
    ...(metrics.length === 0
      ? {}
      : {
          quantitativeAnalysis: {
            performanceMetrics: metrics.map(([type, value]) => ({ type, value: String(value) })),
          },
        }),
    properties: isOpaque(contract) ? opaqueProperties(contract) : onnxProperties(contract),
  };
}

function opaqueProperties({ model }: OpaqueContract) {
  return [
    { name: 'inlay:format', value: 'opaque' },
    { name: 'inlay:path', value: model.target },
    { name: 'inlay:files', value: String(model.files) },
  ];
}

function onnxProperties(contract: Contract) {
  const environment = Object.entries(contract.golden?.environment ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    { name: 'inlay:irVersion', value: String(contract.model.irVersion) },
    ...contract.model.opsets.map(({ domain, version }) => ({
      name: `inlay:opset:${domain || 'ai.onnx'}`,
      value: String(version),
    })),
    { name: 'inlay:producer', value: `${contract.model.producer.name} ${contract.model.producer.version}`.trim() },
    ...(contract.labels ? [{ name: 'inlay:labels', value: JSON.stringify(contract.labels.names) }] : []),
    ...environment.map(([name, value]) => ({ name: `inlay:training:${name}`, value })),
  ];
}
