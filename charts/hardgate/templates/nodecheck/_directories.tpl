{{/*
The directories of a node that the agent sees, as a map of the volumes' names to paths:
those that the controls look at, and of nodecheck.hostPaths what is in none of the others.
*/}}
{{- define "hardgate.hostDirectories" -}}
{{- if .Values.nodecheck.hostRoot -}}
root: /
{{- else -}}
{{- $taken := list }}
{{- range list "/bin" "/boot" "/etc" "/lib" "/opt" "/proc" "/run" "/sbin" "/sys" "/usr" "/var" }}
{{- $taken = append $taken (printf "%s/" .) }}
host-{{ trimPrefix "/" . }}: {{ . }}
{{- end }}
{{- range $i, $path := .Values.nodecheck.hostPaths | sortAlpha | uniq }}
{{- $new := true }}
{{- range $taken }}{{ if hasPrefix . (printf "%s/" $path) }}{{ $new = false }}{{ end }}{{ end }}
{{- if $new }}
{{- $taken = append $taken (printf "%s/" $path) }}
extra-{{ $i }}: {{ $path | quote }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
