/** What stands in the shell blocks of a page's text. */
export function shellBlocks(text: string): readonly string[] {
  return [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block = ""]) => block)
}
