/** Names of MapReduce's history files: JOB-SUBMITTED-USER-NAME-FINISHED-….jhist (times in ms), JOB_conf.xml, and JOB.summary, which nothing reads later. */

/**
 * Where the history server has a file of an ended job below its done folder: YYYY/MM/DD/SERIAL/NAME, by the day of the job's end, in local time.
 * Of a file that is no history, or whose job's end is not in `names`: undefined. Source: JobHistoryUtils of Hadoop 3.4.
 */
export function historyPlace(name: string, names: readonly string[]): string | undefined {
  const job = /^(job_\d+_(\d+))(-.*\.jhist|_conf\.xml)$/.exec(name);
  if (!job) return undefined;
  const history = names.find((other) => other.startsWith(`${job[1]}-`) && other.endsWith(".jhist"));
  // Dashes in a user's or a job's name are escaped.
  const finished = Number(history?.split("-")[4]);
  if (!Number.isFinite(finished)) return undefined;
  const day = new Date(finished);
  const two = (number: number) => String(number).padStart(2, "0");
  const serial = String(Math.floor(Number(job[2]) / 1000)).padStart(6, "0");
  return `${day.getFullYear()}/${two(day.getMonth() + 1)}/${two(day.getDate())}/${serial}/${name}`;
}
