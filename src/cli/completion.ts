/** `howdah completion SHELL`: what a shell must know to complete our commands. Each asks `howdah __complete -- WORD …` (complete.ts). */
import { join } from "node:path";
import { quote } from "../agent/text.ts";

/** Not by name: npx, an alias or a link may be what `howdah` is to this shell. */
const ask = () =>
  [process.execPath, "--disable-warning=ExperimentalWarning", join(import.meta.dirname, "main.ts"), "__complete", "--"]
    .map(quote)
    .join(" ");

export const shells = {
  bash: () => `# For ~/.bashrc: eval "$(npx howdah completion bash)"
_howdah() {
  local IFS=$'\\n'
  COMPREPLY=($(${ask()} "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f 1))
}
complete -o bashdefault -o default -F _howdah howdah`,

  zsh: () => `# For ~/.zshrc, after compinit: eval "$(npx howdah completion zsh)"
_howdah() {
  local line
  local -a found
  for line in "\${(@f)$(${ask()} "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    line=\${line//:/\\\\:}
    [[ -n $line ]] && found+=("\${\${line/$'\\t'/:}%:}")
  done
  if (( $#found )); then _describe howdah found; else _files; fi
}
compdef _howdah howdah`,

  fish: () => `# For ~/.config/fish/config.fish: npx howdah completion fish | source
function __howdah_complete
  set -l words (commandline --tokenize --cut-at-cursor --current-process)
  set -l current (commandline --current-token --cut-at-cursor)
  ${ask()} $words[2..] "$current" 2>/dev/null
end
complete --command howdah --no-files --arguments '(__howdah_complete)'
complete --command howdah --condition '__fish_prev_arg_in --data' --force-files`,
} as const;
