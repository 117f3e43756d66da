import { Argument, type Command } from 'commander'
import type { Session } from '../session.ts'

/** The command by which the scripts ask for completions of a line. */
export const COMPLETE = '__complete'

const BASH = `# bash: eval "$(zael completion bash)" in ~/.bashrc
_zael() {
  local value description
  COMPREPLY=()
  while IFS=$'\\t' read -r value description; do
    if [[ $value == :files ]]; then compopt -o default
    else COMPREPLY+=("$value"); fi
  done < <(zael ${COMPLETE} -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _zael zael
`

const ZSH = `#compdef zael
# zsh: eval "$(zael completion zsh)" in ~/.zshrc, after compinit
_zael() {
  local line files=
  local -a values
  for line in "\${(@f)$(zael ${COMPLETE} -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    case $line in
      (:files) files=1 ;;
      (?*) values+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}") ;;
    esac
  done
  (( $#values )) && _describe zael values
  [[ -n $files ]] && _files
  return 0
}
compdef _zael zael
`

const FISH = `# fish: zael completion fish > ~/.config/fish/completions/zael.fish
function __zael_complete
  set -l words (commandline -opc) (commandline -ct)
  for line in (zael ${COMPLETE} -- $words[2..] 2>/dev/null)
    if test "$line" = :files
      __fish_complete_path (commandline -ct)
    else
      echo $line
    end
  end
end
complete -c zael -f -a '(__zael_complete)'
`

const SCRIPTS: Readonly<Record<string, string>> = { bash: BASH, zsh: ZSH, fish: FISH }

/** `zael completion`. */
export const defineCompletion = (completion: Command, { host }: Session): void => {
  completion
    .addArgument(new Argument('<shell>').choices(Object.keys(SCRIPTS)))
    .addHelpText(
      'after',
      `
bash: add  eval "$(zael completion bash)"  to ~/.bashrc
zsh:  add  eval "$(zael completion zsh)"   to ~/.zshrc, after compinit
fish: zael completion fish > ~/.config/fish/completions/zael.fish`,
    )
    .action((shell: string) => void host.stdout.write(SCRIPTS[shell] ?? ''))
}
