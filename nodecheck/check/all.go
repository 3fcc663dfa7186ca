package check

import "slices"

// all is in the order of the catalogue. A family of checks is a list in the file of
// its name.
var all = slices.Concat(
	kubeletFileChecks,
	kubeletChecks,
	filesystemModuleChecks,
	[]*Check{&singleUserAuth},
	bannerChecks,
	sysctlChecks,
	protocolModuleChecks,
	[]*Check{&loggingConfigured, &permCrontab},
	sshChecks,
	[]*Check{&pwCreation, &pwMaxAge, &pwInactive, &umaskDefault, &suRestricted, &modUnnecessary, &rebootRequired},
)
