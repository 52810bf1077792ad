import { SharedMemory } from "../../../net/bytes/shared_memory.ts";

/** Memory that is lent to one connection until it has sent what is there. */
export class LentMemory extends SharedMemory {
  override readonly isShared: boolean = false;
  readonly #onGivenBack: () => void;

  /** @param onGivenBack Is called once the connection does not need it any more; it must not throw. */
  constructor(bytes: Uint8Array, onGivenBack: () => void) {
    super(bytes as Uint8Array<ArrayBuffer>);
    this.#onGivenBack = onGivenBack;
  }

  override giveBack(): void {
    super.giveBack();
    this.#onGivenBack();
  }
}
