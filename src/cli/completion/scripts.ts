import type { Shell } from './shells.ts'

/**
 * The scripts. Each only asks the program that is being typed (`completion --complete WORD…`), so none knows a command.
 * What was typed is passed on as words and never evaluated: nobody wants `$(…)` to run on Tab.
 */
export const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: `# Completion of sluice for bash. In ~/.bashrc: source <(sluice completion bash)
_sluice() {
  local word value description words=()
  local -i at
  COMPREPLY=()
  for ((at = 1; at <= COMP_CWORD; at++)); do
    word=\${COMP_WORDS[at]}
    # Bash takes = and : for words of their own.
    if ((at > 1)) && [[ $word == [=:]* || \${COMP_WORDS[at - 1]} == *[=:] ]]; then
      words[\${#words[@]} - 1]+=$word
    else
      words+=("$word")
    fi
  done
  word=\${words[\${#words[@]} - 1]}
  while IFS=$'\\t' read -r value description; do
    case $value in
      :files) compopt -o default ;;
      :folders) compopt -o dirnames ;;
      # Bash replaces only what follows the =.
      *) [[ $word == *=* ]] && COMPREPLY+=("\${value#*=}") || COMPREPLY+=("$value") ;;
    esac
  done < <("$1" completion --complete "\${words[@]}" 2>/dev/null)
}
complete -F _sluice sluice`,
  zsh: `#compdef sluice
# Completion of sluice for zsh. In ~/.zshrc, after compinit: source <(sluice completion zsh)
_sluice() {
  local value description kind
  local -a values
  while IFS=$'\\t' read -r value description; do
    case $value in
      :files) kind=_files ;;
      :folders) kind=_directories ;;
      *) values+=("\${value//:/\\\\:}\${description:+:$description}") ;;
    esac
  done < <("\${(Q)words[1]}" completion --complete "\${(@Q)words[2,CURRENT]}" 2>/dev/null)
  (( \${#values} )) && _describe sluice values
  [[ -n $kind ]] && $kind
}
if [[ $funcstack[1] == _sluice ]]; then _sluice "$@"; else compdef _sluice sluice; fi`,
  fish: `# Completion of sluice for fish: sluice completion fish > ~/.config/fish/completions/sluice.fish
function __sluice
    set -l words (commandline -opc)
    set -l last (commandline -ct)
    for line in ($words[1] completion --complete $words[2..-1] "$last" 2>/dev/null)
        switch $line
            case :files
                __fish_complete_path "$last"
            case :folders
                __fish_complete_directories "$last" ''
            case '*'
                echo $line
        end
    end
end
complete -c sluice -f -a '(__sluice)'`,
}
