/** The form of a rule: `>= 0.9`, `>= stable`, `>= stable - 0.005`. */
export const METRIC_RULE =
  /^(>=|<=|>|<)\s*(?:(stable)(?:\s*([+-])\s*(\d+(?:\.\d+)?(?:e-?\d+)?))?|(-?\d+(?:\.\d+)?(?:e-?\d+)?))$/;

/** What a metric of training has to be before a model may be released: beside a number, or beside stable's own. */
export interface MetricRule {
  /** As the contract's `metrics` call it. */
  readonly metric: string;
  readonly operator: '>=' | '<=' | '>' | '<';
  /** True: the limit is stable's value plus `offset`; false: it is `offset`. */
  readonly besideStable: boolean;
  readonly offset: number;
}

/** Reads a rule that METRIC_RULE has matched. */
export function parseMetricRule(metric: string, text: string): MetricRule {
  const [, operator = '>=', stable, sign, offset, plain] = METRIC_RULE.exec(text.trim()) ?? [];
  const besideStable = stable !== undefined;
  const size = Number(besideStable ? (offset ?? 0) : plain);
  return {
    metric,
    operator: operator as MetricRule['operator'],
    besideStable,
    offset: sign === '-' ? 0 - size : size,
  };
}

export interface MetricJudgement {
  readonly rule: MetricRule;
  /** `unknown`: the new model or stable does not say what this metric is, or there is no stable to stand beside. */
  readonly outcome: 'met' | 'missed' | 'unknown';
  readonly value: number | undefined;
  readonly limit: number | undefined;
}

type Metrics = Readonly<Record<string, number>> | undefined;

/** What a sum like 0.97 - 0.005 may be off by, relative. */
const ROUNDING = 1e-12;

/** @param metrics of the new model @param stable of the model that runs */
export function judgeMetric(rule: MetricRule, metrics: Metrics, stable: Metrics): MetricJudgement {
  const value = metrics?.[rule.metric];
  const from = rule.besideStable ? stable?.[rule.metric] : 0;
  const limit = from === undefined ? undefined : from + rule.offset;
  if (value === undefined || limit === undefined) return { rule, outcome: 'unknown', value, limit };
  const more = (value - limit) / Math.max(Math.abs(limit), Number.MIN_VALUE);
  const equal = Math.abs(more) <= ROUNDING;
  const met = equal ? rule.operator.endsWith('=') : rule.operator.startsWith('>') ? more > 0 : more < 0;
  return { rule, outcome: met ? 'met' : 'missed', value, limit };
}
