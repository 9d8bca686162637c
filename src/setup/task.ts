/** One visible part of set-up. A CLI shows the list with progress bars; ensureSetup runs it one after the other. */
export interface SetupTask {
  title: string;
  /** Runs after tasks of lower stages; tasks of the same stage may run at the same time. */
  stage: number;
  run(report: (progress: SetupProgress) => void): Promise<void>;
}

/** `total` 0: nobody knows how much there is. */
export interface SetupProgress {
  done: number;
  total: number;
  unit: "bytes" | "files" | "classes";
}

export type Report = (progress: SetupProgress) => void;
