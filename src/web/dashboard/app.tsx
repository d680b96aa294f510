// The browser's script: what runs, held and told by one object, and the pages around it.
import { render } from 'preact';
import { Live, LiveContext } from './view/live.ts';
import { followLinks } from './view/navigation.ts';
import { Shell } from './view/shell.tsx';

const live = new Live();
followLinks();
void live.load();
const root = document.getElementById('app');
if (root)
  render(
    <LiveContext.Provider value={live}>
      <Shell />
    </LiveContext.Provider>,
    root,
  );
