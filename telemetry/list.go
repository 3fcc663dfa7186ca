package telemetry

import "slices"

// controlLabel is the label of several metrics.
var controlLabel = Label{"control", "id of a control, as in controls.md"}

// metrics is the list. What Help says is what the code says: the programs' tests compare.
var metrics = slices.Concat(webhookMetrics, controllerMetrics, nodecheckMetrics)

var webhookMetrics = []Metric{
	{
		Program: Webhook, Name: "hardgate_admission_requests_total", Kind: Counter,
		Help:   "Admission requests, by answer.",
		Labels: []Label{{"answer", "`allowed`, `warned`, `denied`, `bad-request` (cannot be judged), `error` (the gate could not tell), `self-test` (the controller's question whether it is reached)"}},
	},
	{
		Program: Webhook, Name: "hardgate_admission_decisions_total", Kind: Counter,
		Help: "Decisions on admission requests, by control, by the mode that applied and by verdict.",
		Labels: []Label{
			controlLabel,
			{"mode", "`Audit`, `Warn`, `Enforce`"},
			{"verdict", "`Pass`, `Fail`, `NotApplicable`, `ByHand`, `Exempt`"},
		},
	},
	{
		Program: Webhook, Name: "hardgate_admission_duration_seconds", Kind: Histogram,
		Help: "Time from a request's header to its answer.",
	},
	{
		Program: Webhook, Name: "hardgate_admission_repairs_total", Kind: Counter,
		Help:   "Requests that were answered with a repair, by control. An object for which another webhook has more to say comes again.",
		Labels: []Label{controlLabel},
	},
	{
		Program: Webhook, Name: "hardgate_admission_nodes_tainted_total", Kind: Counter,
		Help: "Registrations of nodes that were answered with the taint of unverified nodes. A node that is there registers again when its kubelet starts, and keeps the taints that it has.",
	},
	{
		Program: Webhook, Name: "hardgate_policy_errors", Kind: Gauge,
		Help: "Errors in the WorkloadPolicies in force: parts of them are not understood and not applied.",
	},
	{
		Program: Webhook, Name: "hardgate_admission_node_policy_errors", Kind: Gauge,
		Help: "Errors in the NodePolicies: while there are any, nodes register without the taint of unverified nodes.",
	},
	{
		Program: Webhook, Name: "hardgate_admission_exemption_errors", Kind: Gauge,
		Help: "Errors in the Exemptions: those that have any exempt nothing.",
	},
	{
		Program: Webhook, Name: "hardgate_admission_clock_skew_seconds", Kind: Gauge,
		Help: "How far the API server's clock is ahead of the webhook's.",
	},
}

var controllerMetrics = []Metric{
	{
		Program: Controller, Name: "hardgate_nodes", Kind: Gauge, Leader: true,
		Help:   "Nodes, by verdict.",
		Labels: []Label{{"verdict", "`Compliant`, `Warned`, `Drifted`, `Unverified`, `NotEnforced`"}},
	},
	{
		Program: Controller, Name: "hardgate_nodes_tainted", Kind: Gauge, Leader: true,
		Help: "Nodes with the taint of drifted nodes that keeps pods away.",
	},
	{
		Program: Controller, Name: "hardgate_nodes_unverified_tainted", Kind: Gauge, Leader: true,
		Help: "Nodes with the taint of nodes that have not been checked.",
	},
	{
		Program: Controller, Name: "hardgate_nodes_stale", Kind: Gauge, Leader: true,
		Help: "Nodes whose agents are silent.",
	},
	{
		Program: Controller, Name: "hardgate_nodes_held", Kind: Gauge, Leader: true,
		Help: "Nodes of which a taint that is due is not set, or not removed yet, by reason.",
		Labels: []Label{{
			"reason",
			"`Paused`, `PolicyNotUnderstood`, `GracePeriod`, `NewRuleSet`, `CorrelationStop`, `ControlPlane`, `ClusterBudget`, `PoolBudget`, `LastSchedulableNode`, `ClearAfter`, `MinimumDwell`",
		}},
	},
	{
		Program: Controller, Name: "hardgate_taint_budget_used", Kind: Gauge, Leader: true,
		Help: "Tainted nodes that count against the cluster's budget.",
	},
	{
		Program: Controller, Name: "hardgate_taint_budget_limit", Kind: Gauge, Leader: true,
		Help: "Nodes that may be tainted in the cluster: the lowest limit of all policies that enforce something.",
	},
	{
		Program: Controller, Name: "hardgate_correlation_stop", Kind: Gauge, Leader: true,
		Help: "Controls that so many nodes fail that nobody new is tainted.",
	},
	{
		Program: Controller, Name: "hardgate_node_policy_errors", Kind: Gauge, Leader: true,
		Help: "Errors in NodePolicies and Exemptions: no taint is set or removed while there are any.",
	},
	{
		Program: Controller, Name: "hardgate_plan_duration_seconds", Kind: Histogram, Leader: true,
		Help: "Time that it took to plan for all nodes.",
	},
	{
		Program: Controller, Name: "hardgate_taint_latency_seconds", Kind: Histogram, Leader: true,
		Help: "Time from when it was known that a node is to be tainted, the grace period being over, to the written taint.",
	},
	{
		Program: Controller, Name: "hardgate_taint_conflicts_total", Kind: Counter, Leader: true,
		Help: "Writes of taints that were made anew, as the node had been changed by others.",
	},
	{
		Program: Controller, Name: "hardgate_writes_total", Kind: Counter, Leader: true,
		Help: "Writes that were due, by what was written and by result.",
		Labels: []Label{
			{"kind", "`taints`, `conditions`, `orders`, `cluster-report`"},
			{"result", "`written`, `unneeded`, `void`, `gone`, `refused`, `unknown`"},
		},
	},
	{
		Program: Controller, Name: "hardgate_audit_objects", Kind: Gauge, Leader: true,
		Help: "Objects that the last audit judged.",
	},
	{
		Program: Controller, Name: "hardgate_audit_violations", Kind: Gauge, Leader: true,
		Help:   "Workloads and other objects that fail, by control: pods count as their owner.",
		Labels: []Label{controlLabel},
	},
	{
		Program: Controller, Name: "hardgate_audit_missed_resources", Kind: Gauge, Leader: true,
		Help: "Resources that the last audit could not read to the end.",
	},
	{
		Program: Controller, Name: "hardgate_audit_duration_seconds", Kind: Histogram, Leader: true,
		Help: "Time that it took to audit the cluster.",
	},
	{
		Program: Controller, Name: "hardgate_audit_finished_timestamp_seconds", Kind: Gauge, Leader: true,
		Help: "When the last audit ended.",
	},
	{
		Program: Controller, Name: "hardgate_audit_interval_seconds", Kind: Gauge,
		Help: "How long it is from one audit to the next, as the controller is told.",
	},
	{
		Program: Controller, Name: "hardgate_audit_rounds_failed_total", Kind: Counter, Leader: true,
		Help: "Rounds that did not come to their end.",
	},
	{
		Program: Controller, Name: "hardgate_audit_writes_total", Kind: Counter, Leader: true,
		Help: "What was written, by kind.",
		Labels: []Label{{
			"kind",
			"`namespace-report`, `workload-policy`, `cluster-report`, `validating-webhook-configuration`, `mutating-webhook-configuration`",
		}},
	},
	{
		Program: Controller, Name: "hardgate_rollout_cells", Kind: Gauge, Leader: true,
		Help:   "Controls in namespaces that a rollout leads, by mode.",
		Labels: []Label{{"mode", "`Audit`, `Warn`, `Enforce`"}},
	},
	{
		Program: Controller, Name: "hardgate_workload_policy_errors", Kind: Gauge, Leader: true,
		Help: "Errors in WorkloadPolicies and Exemptions: nothing is promoted while there are any.",
	},
	{
		Program: Controller, Name: "hardgate_exemptions_expiring", Kind: Gauge, Leader: true,
		Help: "Exemptions that end within a week.",
	},
	{
		Program: Controller, Name: "hardgate_exemptions_expired", Kind: Gauge, Leader: true,
		Help: "Exemptions that have ended and are still there.",
	},
	{
		Program: Controller, Name: "hardgate_webhook_reached", Kind: Gauge, Leader: true,
		Help: "1 where the API server reaches the webhook, by the last self-test; 0 where it does not, and nothing is promoted.",
	},
	{
		Program: Controller, Name: "hardgate_enforced_namespaces_open", Kind: Gauge, Leader: true,
		Help: "Namespaces in which something is enforced and that do not fail closed yet.",
	},
	{
		Program: Controller, Name: "hardgate_certificate_expiration_timestamp_seconds", Kind: Gauge, Leader: true,
		Help:   "When what is stored expires: the webhook's serving certificate, and the authority that signs it.",
		Labels: []Label{{"certificate", "`serving`, `authority`"}},
	},
	{
		Program: Controller, Name: "hardgate_certificate_ready", Kind: Gauge, Leader: true,
		Help: "1 where certificate and bundles are as they should be, or on the way; 0 where something is in the way, of which there is an Event.",
	},
	{
		Program: Controller, Name: "hardgate_certificate_clock_skew_seconds", Kind: Gauge, Leader: true,
		Help: "How far the API server's clock is ahead of the controller's.",
	},
	{
		Program: Controller, Name: "hardgate_certificate_renewals_total", Kind: Counter, Leader: true,
		Help:   "Certificates that were made by the built-in issuer, the first included.",
		Labels: []Label{{"certificate", "`serving`, `authority`"}},
	},
	{
		Program: Controller, Name: "hardgate_certificate_writes_total", Kind: Counter, Leader: true,
		Help: "Steps of the built-in issuer, by result: written, conflict, refused.",
		Labels: []Label{
			{"action", "what was written"},
			{"result", "`written`, `conflict`, `refused`"},
		},
	},
	{
		Program: Controller, Name: "hardgate_certificate_failures_total", Kind: Counter, Leader: true,
		Help: "Rounds in which something was in the way.",
	},
}

var nodecheckMetrics = []Metric{
	{
		Program: Nodecheck, Name: "hardgate_node_control_status", Kind: Gauge,
		Help:   "1 for the status that a control has on this node.",
		Labels: []Label{controlLabel, {"status", "`Pass`, `Fail`, `Unknown`, `NotApplicable`, `Exempt`"}},
	},
	{
		Program: Nodecheck, Name: "hardgate_node_scans_total", Kind: Counter,
		Help:   "Scans, by what they were made for.",
		Labels: []Label{{"cause", "`full` (it is time to), `change` (of a file), `poll` (a value of the kernel), `later` (what became of a change), `rules` (others are in force)"}},
	},
	{
		Program: Nodecheck, Name: "hardgate_node_scan_duration_seconds", Kind: Histogram,
		Help: "Time that a scan of all controls took.",
	},
	{
		Program: Nodecheck, Name: "hardgate_node_scan_errors_total", Kind: Counter,
		Help: "Scans that broke and gave no verdicts.",
	},
	{
		Program: Nodecheck, Name: "hardgate_node_scan_success_timestamp_seconds", Kind: Gauge,
		Help: "When the last scan came to its end.",
	},
	{
		Program: Nodecheck, Name: "hardgate_node_hanging_checks", Kind: Gauge,
		Help: "Checks that do not come back, since a file does not answer.",
	},
	{
		Program: Nodecheck, Name: "hardgate_node_watched_directories", Kind: Gauge,
		Help: "Directories that are watched by inotify.",
	},
	{
		Program: Nodecheck, Name: "hardgate_node_watch_limited", Kind: Gauge,
		Help: "Whether some directories are polled, as they cannot be watched.",
	},
	{
		Program: Nodecheck, Name: "hardgate_node_configz", Kind: Gauge,
		Help: "Whether the kubelet tells its configuration.",
	},
	{
		Program: Nodecheck, Name: "hardgate_node_spec_refused", Kind: Gauge,
		Help: "Whether the report's spec asks for rules that this agent does not know, and those before stay in force.",
	},
	{
		Program: Nodecheck, Name: "hardgate_node_confined", Kind: Gauge,
		Help: "Whether the agent has given up the right to write and to execute files; 0 where the kernel or a seccomp profile does not let it.",
	},
	{
		Program: Nodecheck, Name: "hardgate_node_report_delivered", Kind: Gauge,
		Help: "Whether the API server has the latest report.",
	},
	{
		Program: Nodecheck, Name: "hardgate_node_report_delivered_timestamp_seconds", Kind: Gauge,
		Help: "When the API server was last known to have the latest report.",
	},
	{
		Program: Nodecheck, Name: "hardgate_node_report_writes_total", Kind: Counter,
		Help: "Writes of the NodeReport's status.",
	},
	{
		Program: Nodecheck, Name: "hardgate_node_report_errors_total", Kind: Counter,
		Help:   "Requests to the API server that failed, by HTTP status; \"none\" where there was no answer.",
		Labels: []Label{{"code", "an HTTP status, or `none`"}},
	},
	{
		Program: Nodecheck, Name: "hardgate_node_report_size_bytes", Kind: Gauge,
		Help: "Size of the status that was written last.",
	},
	{
		Program: Nodecheck, Name: "hardgate_node_lease_renewed_timestamp_seconds", Kind: Gauge,
		Help: "When the lease was renewed.",
	},
}

// foreign are those of others.
var foreign = []Foreign{
	{"leader_election_master_status", "controller", "Whether this replica leads, by `name`, which is `hardgate-controller`."},
	{"go_build_info", "every program", "The version, by the label `version`."},
	{"process_cpu_seconds_total", "every program", "CPU time."},
	{"process_resident_memory_bytes", "every program", "Memory."},
	{"apiserver_admission_webhook_rejection_count", "API server", "Requests that a webhook refused, by its `name`; with `error_type=\"calling_webhook_error\"` those that were refused since it did not answer."},
	{"apiserver_admission_webhook_fail_open_count", "API server", "Requests that went on though a webhook did not answer, by its `name`."},
	{"apiserver_admission_webhook_admission_duration_seconds_bucket", "API server", "Time that the API server waited for a webhook, by its `name`."},
}
