/** A moment as the browser's field for times takes it: 2022-08-02T09:30, in the machine's zone. */
export function localTime(at: Date): string {
  const two = (n: number) => String(n).padStart(2, "0")
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
  return `${day}T${two(at.getHours())}:${two(at.getMinutes())}`
}
