package dashboard

// What of the controller only its leader sets is asked for as the max over all replicas.

// New makes the dashboard.
func New() *Dashboard {
	return &Dashboard{
		UID: "hardgate", Title: "hardgate", Tags: []string{"hardgate", "security"},
		Description:   "Admission, audits and rollouts, nodes and their taints.",
		SchemaVersion: schema, Editable: true, Refresh: "1m", Time: TimeRange{From: "now-6h", To: "now"},
		Templating: Templating{List: []Variable{{Name: "datasource", Label: "Data source", Type: "datasource", Query: "prometheus"}}},
		Panels:     lay([]row{glance(), gate(), standing(), nodes(), certificate(), agents(), programs()}),
	}
}

func glance() row {
	return row{"At a glance", []panel{
		number("Webhook replicas", "none", "Those that are scraped.", from(2, "red", "green"), `count(hardgate_policy_errors)`),
		number("Reached by the API server", "none", "1 where the controller's self-test is answered.", from(1, "red", "green"), `max(hardgate_webhook_reached)`),
		number("Controllers that lead", "none", "One.", from(1, "red", "green"), `sum(leader_election_master_status{name="hardgate-controller"})`),
		number("Objects not understood", "none", "Errors in WorkloadPolicies, NodePolicies and Exemptions.", from(1, "green", "orange"),
			`max(hardgate_policy_errors) + max(hardgate_admission_node_policy_errors) + max(hardgate_admission_exemption_errors)`),
		number("Nodes tainted", "none", "Those that fail what is enforced.", from(1, "green", "orange"), `max(hardgate_nodes_tainted)`),
		number("Age of the last audit", "s", "", from(7200, "green", "orange"), `time() - max(hardgate_audit_finished_timestamp_seconds)`),
	}}
}

func gate() row {
	return row{"Admission", []panel{
		graph("Requests by answer", "reqps", "", query{`sum by (answer) (rate(hardgate_admission_requests_total[$__rate_interval]))`, "{{answer}}"}),
		graph("Time to the answer", "s", "In the webhook, from the request's header on; the API server's view beside it.",
			query{`histogram_quantile(0.5, sum by (le) (rate(hardgate_admission_duration_seconds_bucket[$__rate_interval])))`, "median"},
			query{`histogram_quantile(0.99, sum by (le) (rate(hardgate_admission_duration_seconds_bucket[$__rate_interval])))`, "99 of 100"},
			query{`histogram_quantile(0.99, sum by (le) (rate(apiserver_admission_webhook_admission_duration_seconds_bucket{name=~".+\\.hardgate\\.dev"}[$__rate_interval])))`, "99 of 100, API server"}),
		graph("Without an answer", "reqps", "Requests that the API server refused or admitted unjudged.",
			query{`sum by (name) (rate(apiserver_admission_webhook_rejection_count{error_type="calling_webhook_error", name=~".+\\.hardgate\\.dev"}[$__rate_interval]))`, "refused: {{name}}"},
			query{`sum by (name) (rate(apiserver_admission_webhook_fail_open_count{name=~".+\\.hardgate\\.dev"}[$__rate_interval]))`, "admitted: {{name}}"}),
		graph("Denied by control", "reqps", "", query{`sum by (control) (rate(hardgate_admission_decisions_total{verdict="Fail", mode="Enforce"}[$__rate_interval])) > 0`, "{{control}}"}),
		graph("Would be denied by control", "reqps", "What fails in Warn or Audit.", query{`sum by (control) (rate(hardgate_admission_decisions_total{verdict="Fail", mode!="Enforce"}[$__rate_interval])) > 0`, "{{control}}"}),
		graph("Repaired by control", "reqps", "", query{`sum by (control) (rate(hardgate_admission_repairs_total[$__rate_interval])) > 0`, "{{control}}"}),
	}}
}

func standing() row {
	return row{"What stands, and rollouts", []panel{
		graph("Violations by control", "none", "By the last audit; pods count as their owner.", query{`max by (control) (hardgate_audit_violations) > 0`, "{{control}}"}),
		graph("Controls in namespaces by mode", "none", "Those that a rollout leads.", query{`max by (mode) (hardgate_rollout_cells)`, "{{mode}}"}),
		graph("Exemptions", "none", "",
			query{`max(hardgate_exemptions_expiring)`, "end within a week"},
			query{`max(hardgate_exemptions_expired)`, "have ended"}),
		graph("Objects of an audit", "none", "",
			query{`max(hardgate_audit_objects)`, "judged"},
			query{`max(hardgate_audit_missed_resources)`, "resources that could not be read"}),
		graph("Time that an audit takes", "s", "",
			query{`sum(rate(hardgate_audit_duration_seconds_sum[1h])) / sum(rate(hardgate_audit_duration_seconds_count[1h]))`, "mean"}),
		graph("Rounds and writes", "ops", "",
			query{`sum(rate(hardgate_audit_rounds_failed_total[$__rate_interval]))`, "rounds that failed"},
			query{`sum by (kind) (rate(hardgate_audit_writes_total[$__rate_interval]))`, "{{kind}}"},
			query{`max(hardgate_workload_policy_errors)`, "errors in policies"},
			query{`max(hardgate_enforced_namespaces_open)`, "namespaces that are enforced and fail open"}),
	}}
}

func nodes() row {
	return row{"Nodes", []panel{
		graph("Nodes by verdict", "none", "", query{`max by (verdict) (hardgate_nodes)`, "{{verdict}}"}),
		graph("Taints and the budget", "none", "",
			query{`max(hardgate_nodes_tainted)`, "drifted"},
			query{`max(hardgate_nodes_unverified_tainted)`, "unverified"},
			query{`max(hardgate_taint_budget_used)`, "count against the budget"},
			query{`max(hardgate_taint_budget_limit)`, "budget"}),
		graph("Held by reason", "none", "Taints that are due and not set, or not removed yet.", query{`max by (reason) (hardgate_nodes_held) > 0`, "{{reason}}"}),
		graph("What is in the way", "none", "",
			query{`max(hardgate_nodes_stale)`, "silent agents"},
			query{`max(hardgate_correlation_stop)`, "controls that stop taints"},
			query{`max(hardgate_node_policy_errors)`, "errors in NodePolicies and Exemptions"}),
		graph("From verdict to taint", "s", "The grace period being over.",
			query{`histogram_quantile(0.99, sum by (le) (rate(hardgate_taint_latency_seconds_bucket[1h])))`, "99 of 100"},
			query{`histogram_quantile(0.99, sum by (le) (rate(hardgate_plan_duration_seconds_bucket[1h])))`, "to plan, 99 of 100"}),
		graph("Writes by result", "ops", "",
			query{`sum by (kind, result) (rate(hardgate_writes_total[$__rate_interval])) > 0`, "{{kind}} {{result}}"},
			query{`sum(rate(hardgate_taint_conflicts_total[$__rate_interval]))`, "conflicts"},
			query{`sum(rate(hardgate_admission_nodes_tainted_total[$__rate_interval]))`, "registrations with the unverified taint"}),
	}}
}

func certificate() row {
	return row{"The webhook's certificate", []panel{
		graph("Time that is left", "s", "", query{`min by (certificate) (hardgate_certificate_expiration_timestamp_seconds) - time()`, "{{certificate}}"}),
		graph("State", "none", "",
			query{`max(hardgate_certificate_ready)`, "as it should be"},
			query{`max(abs(hardgate_certificate_clock_skew_seconds))`, "seconds by which the leader's clock is off"},
			query{`max(abs(hardgate_admission_clock_skew_seconds))`, "seconds by which a webhook's clock is off"}),
		graph("Steps", "ops", "",
			query{`sum by (certificate) (rate(hardgate_certificate_renewals_total[1h]))`, "made: {{certificate}}"},
			query{`sum by (action, result) (rate(hardgate_certificate_writes_total[1h]))`, "{{action}} {{result}}"},
			query{`sum(rate(hardgate_certificate_failures_total[1h]))`, "rounds that failed"}),
	}}
}

func agents() row {
	return row{"Agents, where they are scraped", []panel{
		graph("Nodes that fail, by control", "none", "", query{`count by (control) (hardgate_node_control_status{status="Fail"})`, "{{control}}"}),
		graph("Scans", "ops", "",
			query{`sum by (cause) (rate(hardgate_node_scans_total[$__rate_interval]))`, "{{cause}}"},
			query{`sum(rate(hardgate_node_scan_errors_total[$__rate_interval]))`, "broken"}),
		graph("Time of scans and ages", "s", "",
			query{`histogram_quantile(0.99, sum by (le) (rate(hardgate_node_scan_duration_seconds_bucket[$__rate_interval])))`, "scan, 99 of 100"},
			query{`time() - min(hardgate_node_scan_success_timestamp_seconds)`, "oldest scan"},
			query{`time() - min(hardgate_node_report_delivered_timestamp_seconds)`, "oldest delivery"},
			query{`time() - min(hardgate_node_lease_renewed_timestamp_seconds)`, "oldest lease"}),
		graph("Agents that are hindered", "none", "",
			query{`count(hardgate_node_report_delivered == 0)`, "report not delivered"},
			query{`count(hardgate_node_hanging_checks > 0)`, "a check hangs"},
			query{`count(hardgate_node_watch_limited == 1)`, "directories polled"},
			query{`count(hardgate_node_configz == 0)`, "kubelet does not tell"},
			query{`count(hardgate_node_spec_refused == 1)`, "rules not known"},
			query{`count(hardgate_node_confined == 0)`, "not confined"}),
		graph("Requests of agents", "ops", "",
			query{`sum(rate(hardgate_node_report_writes_total[$__rate_interval]))`, "reports written"},
			query{`sum by (code) (rate(hardgate_node_report_errors_total[$__rate_interval]))`, "failed: {{code}}"}),
		graph("Sizes", "short", "",
			query{`max(hardgate_node_report_size_bytes)`, "bytes of the largest report"},
			query{`max(hardgate_node_watched_directories)`, "watched directories, at most"}),
	}}
}

// programs needs job labels as the chart's ServiceMonitor sets them.
func programs() row {
	return row{"Programs", []panel{
		graph("CPU time", "percentunit", "", query{`rate(process_cpu_seconds_total{job=~"hardgate-.+"}[$__rate_interval])`, "{{job}} {{pod}}"}),
		graph("Memory", "bytes", "", query{`process_resident_memory_bytes{job=~"hardgate-.+"}`, "{{job}} {{pod}}"}),
	}}
}
