// The browser's script: puts the views together. The page holds the model.
import { answerOfBody } from './model/answer-model.ts';
import { milliseconds } from './model/digits.ts';
import type { Outgoing } from './model/outgoing.ts';
import type { PageModel } from './model/page-model.ts';
import { send } from './send.ts';
import { AnswerView } from './view/answer-view.ts';
import { element } from './view/element.ts';
import { FormView } from './view/form-view.ts';
import { HeadView } from './view/head-view.ts';
import { RawFormView } from './view/raw-form-view.ts';
import { RequestView } from './view/request-view.ts';

const page = JSON.parse(document.getElementById('model')?.textContent ?? '') as PageModel;
const url = new URL('predict', document.baseURI).href;
const head = new HeadView(page);
const answer = new AnswerView(page);
const request = new RequestView();
const form = page.accepts
  ? new RawFormView({ types: page.accepts, sample: page.request, send: predict, edited })
  : new FormView(page, predict, edited);

document.getElementById('app')?.replaceChildren(
  head.node,
  element('main', {}, form.node, element('div', { class: 'results' }, answer.node, request.node)),
  element(
    'footer',
    {},
    ...[
      ['docs', 'API documentation'],
      ['openapi.json', 'openapi.json'],
      ['metadata', 'metadata'],
    ].map(([href, text]) => element('a', { href }, text)),
  ),
);
showRequest();
checkHealth();
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) checkHealth();
});

async function predict(body: Outgoing): Promise<void> {
  form.busy(true);
  request.request(url, body);
  const { tookMs, status, raw, result } = await send(url, body);
  form.busy(false);
  request.answer(`${status ?? 'no answer'} · ${milliseconds(tookMs)} · ${new Blob([raw]).size} bytes`, raw);
  if ('answer' in result) answer.show(answerOfBody(page, result.answer));
  else {
    answer.stale();
    form.fail(result.failure);
  }
  if (status !== 200) checkHealth();
}

function edited(): void {
  answer.stale();
  showRequest();
}

function showRequest(): void {
  const { filled } = form;
  if ('outgoing' in filled) request.request(url, filled.outgoing);
  else if (form instanceof RawFormView) request.request(url, form.example);
}

async function checkHealth(): Promise<void> {
  const response = await fetch('health/ready').catch(() => undefined);
  head.show(response === undefined ? 'unreachable' : response.ok ? 'ready' : 'not ready');
}
