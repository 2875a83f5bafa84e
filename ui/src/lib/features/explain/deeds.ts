/** What can be done with an event that an answer names. */
export interface EventDeeds {
  /** Shows the event whole; the way back leads here. */
  open: (position: number) => void;
  /** Stands on its version. */
  stand: (version: number) => void;
  /** Tries the stream without it. */
  leaveOut: (position: number) => void;
  /** Tries another payload. */
  edit: (position: number) => void;
}
