// The browser's script: puts the views together. The page holds the model.
import { answerOf } from './model/answer-model.ts';
import { milliseconds } from './model/digits.ts';
import type { PageModel } from './model/page-model.ts';
import { send } from './send.ts';
import { AnswerView } from './view/answer-view.ts';
import { element } from './view/element.ts';
import { FormView } from './view/form-view.ts';
import { HeadView } from './view/head-view.ts';
import { RequestView } from './view/request-view.ts';

const page = JSON.parse(document.getElementById('model')?.textContent ?? '') as PageModel;
const url = new URL('predict', document.baseURI).href;
const head = new HeadView(page);
const answer = new AnswerView(page);
const request = new RequestView();
const form = new FormView(page, predict, edited);

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

async function predict(json: string): Promise<void> {
  form.busy(true);
  request.request(url, json);
  const { tookMs, status, raw, result } = await send(url, json);
  form.busy(false);
  request.answer(`${status ?? 'no answer'} · ${milliseconds(tookMs)} · ${new Blob([raw]).size} bytes`, raw);
  if ('prediction' in result) answer.show(answerOf(page, result.prediction));
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
  const { body } = form;
  if ('json' in body) request.request(url, body.json);
}

async function checkHealth(): Promise<void> {
  const response = await fetch('health/ready').catch(() => undefined);
  head.show(response === undefined ? 'unreachable' : response.ok ? 'ready' : 'not ready');
}
