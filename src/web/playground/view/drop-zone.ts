/** Lets files be dropped on an element, which looks so while one is over it. */
export function takeDrops(zone: HTMLElement, take: (files: FileList | undefined) => void): void {
  const over = (on: boolean) => (event: DragEvent) => {
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    zone.classList.toggle('dropping', on);
  };
  zone.addEventListener('dragover', over(true));
  zone.addEventListener('dragleave', over(false));
  zone.addEventListener('drop', (event) => {
    over(false)(event);
    take(event.dataTransfer?.files);
  });
}
