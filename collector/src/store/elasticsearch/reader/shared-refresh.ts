/**
 * Makes what was written searchable. Elasticsearch shows a record only after a refresh, which by
 * itself comes every second; a reader asks for one first, so that it finds whatever was written
 * before it was asked. Where nothing was written it costs 2 ms.
 */
export class SharedRefresh {
  private readonly refresh: () => Promise<void>;
  private running: Promise<void> | undefined;
  private next: Promise<void> | undefined;

  constructor(refresh: () => Promise<void>) {
    this.refresh = refresh;
  }

  /**
   * Resolves after a refresh that began no earlier than this call. At most one is under way: those
   * who come meanwhile share the next one.
   */
  done(): Promise<void> {
    if (this.running === undefined) return this.start();
    this.next ??= this.running.then(
      () => this.start(),
      () => this.start(),
    );
    return this.next;
  }

  private start(): Promise<void> {
    this.next = undefined;
    const running = this.refresh().finally(() => {
      if (this.running === running) this.running = undefined;
    });
    this.running = running;
    return running;
  }
}
