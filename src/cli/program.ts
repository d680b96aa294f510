import { Command, Help } from '@commander-js/extra-typings';
import { addBuild } from './commands/build.ts';
import { addCheck } from './commands/check.ts';
import { addCliImage } from './commands/cli-image.ts';
import { addCompletion } from './commands/completion.ts';
import { addCopy } from './commands/copy.ts';
import { addDeploy } from './commands/deploy.ts';
import { addDiff } from './commands/diff.ts';
import { addDoctor } from './commands/doctor.ts';
import { addEject } from './commands/eject.ts';
import { addFetch } from './commands/fetch.ts';
import { addHub } from './commands/hub.ts';
import { addInit } from './commands/init.ts';
import { addInspect } from './commands/inspect.ts';
import { addInventory } from './commands/inventory.ts';
import { addLock } from './commands/lock.ts';
import { addManifests } from './commands/manifests.ts';
import { addForward, addLogs } from './commands/pods.ts';
import { addPrune } from './commands/prune.ts';
import { addPull } from './commands/pull.ts';
import { addPush } from './commands/push.ts';
import { addRelease } from './commands/release.ts';
import { addResume } from './commands/resume.ts';
import { addRun } from './commands/run.ts';
import { addServe } from './commands/serve.ts';
import { addServerImage } from './commands/server-image.ts';
import { addDecisions, addHistory, addStatus } from './commands/service.ts';
import { addSign } from './commands/sign.ts';
import { addVerdict } from './commands/verdict.ts';
import { addVerify } from './commands/verify.ts';
import { INLAY_VERSION } from './version.ts';

/** In the order of the help. */
const COMMANDS = [
  addInit,
  addFetch,
  addCheck,
  addDiff,
  addServe,
  addBuild,
  addRun,
  addPush,
  addPull,
  addCopy,
  addInspect,
  addSign,
  addVerify,
  addLock,
  addServerImage,
  addCliImage,
  addEject,
  addDoctor,
  addRelease,
  addDeploy,
  addStatus,
  addDecisions,
  addResume,
  addVerdict,
  addHistory,
  addLogs,
  addForward,
  addManifests,
  addInventory,
  addPrune,
  addHub,
  addCompletion,
];

/** The command line, as commander parses it. Where one is wrong or help was asked for, parsing throws CommanderError. */
export function createProgram(): Command {
  const program = new Command('inlay')
    .description('Bakes a trained ONNX model into its own inference-server image.')
    .version(INLAY_VERSION)
    .showSuggestionAfterError()
    // main.ts says it, as all errors are said.
    .configureOutput({ outputError: () => {} })
    // No flag given is no value that one need know.
    .configureHelp({
      optionDescription: (option) => new Help().optionDescription(option).replace(/ \(default: \[\]\)$/, ''),
    })
    .exitOverride();
  for (const add of COMMANDS) add(program);
  for (const command of program.commands) command.exitOverride();
  return program;
}
