# Bash completion for ustream.
# shellcheck shell=bash

_ustream() {
  local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD - 1]}"
  local commands="watch read write delete query count aggregate bulk doctor uninstall completion help"
  local command='' options='--help --format --log-level' word i
  COMPREPLY=()

  for ((i = 1; i < COMP_CWORD; i++)); do
    word="${COMP_WORDS[i]}"
    # The value of an option is no command.
    if [[ "${COMP_WORDS[i - 1]}" == --format || "${COMP_WORDS[i - 1]}" == --log-level ]]; then
      continue
    fi
    if [[ " $commands " == *" $word "* ]]; then
      command="$word"
      break
    fi
  done

  case "$previous" in
    --format)
      mapfile -t COMPREPLY < <(compgen -W 'json pretty' -- "$current")
      return
      ;;
    --log-level)
      mapfile -t COMPREPLY < <(compgen -W 'trace debug info warn error off' -- "$current")
      return
      ;;
    --resume)
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
      compopt -o filenames
      return
      ;;
    --filter | --sort | --fields | --limit | --skip | --since | --batch | --batch-ms | --debounce | \
      --count | --for)
      return # whatever the user has in mind
      ;;
  esac

  case "$command" in
    '') options+=' --version' ;;
    watch)
      options+=" --filter --fields --snapshot --since --resume --batch --batch-ms --debounce"
      options+=" --count --for"
      ;;
    write) options+=" --replace" ;;
    query) options+=" --filter --sort --limit --skip --fields" ;;
    count) options+=" --filter" ;;
  esac

  if [[ "$current" == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current")
  elif [[ -z "$command" || "$command" == help ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$current")
  elif [[ "$command" == completion ]]; then
    mapfile -t COMPREPLY < <(compgen -W 'bash' -- "$current")
  elif [[ "$previous" == sqlite || ("$previous" == : && "${COMP_WORDS[COMP_CWORD - 2]}" == sqlite) ]]; then
    # Bash splits words at the colon: `sqlite:PATH` arrives as `sqlite`, `:`, `PATH`.
    [[ "$current" == : ]] && current=''
    mapfile -t COMPREPLY < <(compgen -f -- "$current")
    compopt -o filenames
  elif [[ "$COMP_CWORD" == "$((i + 1))" ]]; then
    mapfile -t COMPREPLY < <(compgen -W 'sqlite:' -- "$current")
    compopt -o nospace
  fi
}
complete -F _ustream ustream
