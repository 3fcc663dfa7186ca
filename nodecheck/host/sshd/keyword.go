package sshd

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// keyword is what the server knows of a keyword, see keywords in servconf.c.
type keyword struct {
	kind  kind
	words []string // of kind oneOf
	since Version
	// match is whether it may stand in a Match block, and overrides there;
	// matchSince is from when on, where it was not always so.
	match      bool
	matchSince Version
}

// inMatch is whether a version takes the keyword in a Match block.
func (k keyword) inMatch(v Version) bool {
	return k.match && !v.Before(k.matchSince.Major, k.matchSince.Minor)
}

// kind is what may follow a keyword.
type kind int

const (
	anything kind = iota // lists and commands: not looked at
	one                  // one word
	oneOf                // one of some words, in any case
	number
	duration
	macList
	include
	match
)

var (
	yesNo      = []string{"yes", "no"}
	forwarding = []string{"yes", "no", "all", "local", "remote"}
	v82        = Version{8, 2}
)

// keywords are those of every version, and those that distributions add. What
// became deprecated is still accepted, with any words after it.
var keywords = map[string]keyword{
	"acceptenv":                       {match: true},
	"addressfamily":                   {kind: oneOf, words: []string{"inet", "inet6", "any"}},
	"afstokenpassing":                 {},
	"agentsocketpath":                 {kind: one, match: true, since: Version{10, 1}},
	"allowagentforwarding":            {kind: oneOf, words: yesNo, match: true},
	"allowgroups":                     {match: true},
	"allowstreamlocalforwarding":      {kind: oneOf, words: forwarding, match: true},
	"allowtcpforwarding":              {kind: oneOf, words: forwarding, match: true},
	"allowusers":                      {match: true},
	"authenticationmethods":           {match: true},
	"authorizedkeyscommand":           {match: true},
	"authorizedkeyscommanduser":       {kind: one, match: true},
	"authorizedkeysfile":              {match: true},
	"authorizedkeysfile2":             {match: true},
	"authorizedprincipalscommand":     {match: true},
	"authorizedprincipalscommanduser": {kind: one, match: true},
	"authorizedprincipalsfile":        {kind: one, match: true},
	"banner":                          {kind: one, match: true},
	"casignaturealgorithms":           {kind: one, match: true, since: Version{7, 9}},
	"challengeresponseauthentication": {kind: oneOf, words: yesNo, match: true, matchSince: Version{8, 7}},
	"channeltimeout":                  {match: true, since: Version{9, 2}},
	"checkmail":                       {},
	"chrootdirectory":                 {kind: one, match: true},
	"ciphers":                         {kind: one},
	"clientalivecountmax":             {kind: number, match: true},
	"clientaliveinterval":             {kind: duration, match: true},
	"compression":                     {kind: oneOf, words: []string{"yes", "no", "delayed"}},
	"debianbanner":                    {kind: oneOf, words: yesNo},
	"denygroups":                      {match: true},
	"denyusers":                       {match: true},
	"disableforwarding":               {kind: oneOf, words: yesNo, match: true, since: Version{7, 4}},
	"dsaauthentication":               {kind: oneOf, words: yesNo},
	"exposeauthenticationmethods":     {match: true},
	"exposeauthinfo":                  {kind: oneOf, words: yesNo, match: true, since: Version{7, 6}},
	"fingerprinthash":                 {kind: one},
	"forcecommand":                    {match: true},
	"gatewayports":                    {kind: oneOf, words: []string{"yes", "no", "clientspecified"}, match: true},
	"gssapiauthentication":            {match: true},
	"gssapicleanupcredentials":        {},
	"gssapidelegatecredentials":       {match: true},
	"gssapienablek5users":             {},
	"gssapikexalgorithms":             {},
	"gssapikeyexchange":               {},
	"gssapistorecredentialsonrekey":   {},
	"gssapistrictacceptorcheck":       {},
	"gssapiusesessioncredcache":       {},
	"gssusesessionccache":             {},
	"hostbasedacceptedalgorithms":     {kind: one, match: true, since: Version{8, 5}},
	"hostbasedacceptedkeytypes":       {kind: one, match: true},
	"hostbasedauthentication":         {kind: oneOf, words: yesNo, match: true},
	"hostbasedusesnamefrompacketonly": {kind: oneOf, words: yesNo, match: true},
	"hostcertificate":                 {kind: one},
	"hostdsakey":                      {kind: one},
	"hostkey":                         {kind: one},
	"hostkeyagent":                    {kind: one},
	"hostkeyalgorithms":               {kind: one},
	"ignorerhosts":                    {kind: oneOf, words: []string{"yes", "no", "shosts-only"}, match: true},
	"ignoreuserknownhosts":            {kind: oneOf, words: yesNo},
	"include":                         {kind: include, match: true, since: v82},
	"ipqos":                           {match: true},
	"kbdinteractiveauthentication":    {kind: oneOf, words: yesNo, match: true},
	"keepalive":                       {kind: oneOf, words: yesNo},
	"kerberosauthentication":          {match: true},
	"kerberosgetafstoken":             {},
	"kerberosorlocalpasswd":           {},
	"kerberosticketcleanup":           {},
	"kerberostgtpassing":              {},
	"kerberosuniqueccache":            {},
	"kerberosusekuserok":              {match: true},
	"kexalgorithms":                   {kind: one},
	"keyregenerationinterval":         {},
	"listenaddress":                   {},
	"logingracetime":                  {kind: duration},
	"loglevel":                        {kind: one, match: true},
	"logverbose":                      {match: true, since: Version{8, 5}},
	"macs":                            {kind: macList},
	"match":                           {kind: match, match: true},
	"maxauthtries":                    {kind: number, match: true},
	"maxsessions":                     {kind: number, match: true},
	"maxstartups":                     {kind: one},
	"modulifile":                      {kind: one, since: Version{8, 5}},
	"pamservicename":                  {kind: one, match: true, since: Version{9, 8}},
	"passwordauthentication":          {kind: oneOf, words: yesNo, match: true},
	"permitblacklistedkeys":           {},
	"permitemptypasswords":            {kind: oneOf, words: yesNo, match: true},
	"permitlisten":                    {match: true, since: Version{7, 8}},
	"permitopen":                      {match: true},
	"permitrootlogin":                 {kind: oneOf, words: []string{"yes", "no", "without-password", "prohibit-password", "forced-commands-only"}, match: true},
	"permittty":                       {kind: oneOf, words: yesNo, match: true},
	"permittunnel":                    {kind: oneOf, words: []string{"yes", "no", "point-to-point", "ethernet"}, match: true},
	"permituserenvironment":           {kind: one},
	"permituserrc":                    {kind: oneOf, words: yesNo, match: true},
	"persourcemaxstartups":            {kind: one, since: Version{8, 5}},
	"persourcenetblocksize":           {kind: one, since: Version{8, 5}},
	"persourcepenalties":              {since: Version{9, 8}},
	"persourcepenaltyexemptlist":      {kind: one, since: Version{9, 8}},
	"pidfile":                         {kind: one},
	"port":                            {kind: one},
	"printlastlog":                    {kind: oneOf, words: yesNo},
	"printmotd":                       {kind: oneOf, words: yesNo},
	"protocol":                        {},
	"pubkeyacceptedalgorithms":        {kind: one, match: true, since: Version{8, 5}},
	"pubkeyacceptedkeytypes":          {kind: one, match: true},
	"pubkeyauthentication":            {kind: oneOf, words: yesNo, match: true},
	"pubkeyauthoptions":               {match: true, since: v82},
	"rdomain":                         {kind: one, match: true, since: Version{7, 7}},
	"refuseconnection":                {kind: oneOf, words: yesNo, match: true, since: Version{9, 9}},
	"rekeylimit":                      {match: true},
	"requiredrsasize":                 {kind: number, match: true, since: Version{8, 7}},
	"reversemappingcheck":             {},
	"revokedkeys":                     {kind: one, match: true},
	"rhostsauthentication":            {},
	"rhostsrsaauthentication":         {match: true},
	"rsaauthentication":               {match: true},
	"rsaminsize":                      {kind: number, match: true},
	"securitykeyprovider":             {kind: one, since: v82},
	"serverkeybits":                   {},
	"setenv":                          {match: true, since: Version{7, 8}},
	"showpatchlevel":                  {},
	"skeyauthentication":              {kind: oneOf, words: yesNo, match: true, matchSince: Version{8, 7}},
	"sshdauthpath":                    {kind: one, since: Version{9, 9}},
	"sshdsessionpath":                 {kind: one, since: Version{9, 8}},
	"streamlocalbindmask":             {kind: one, match: true},
	"streamlocalbindunlink":           {kind: oneOf, words: yesNo, match: true},
	"strictmodes":                     {kind: oneOf, words: yesNo},
	"subsystem":                       {match: true, matchSince: Version{9, 5}},
	"syslogfacility":                  {kind: one},
	"tcpkeepalive":                    {kind: oneOf, words: yesNo},
	"trustedusercakeys":               {kind: one, match: true},
	"unusedconnectiontimeout":         {kind: duration, match: true, since: Version{9, 2}},
	"usedns":                          {kind: oneOf, words: yesNo},
	"uselogin":                        {},
	"usepam":                          {kind: oneOf, words: yesNo},
	"useprivilegeseparation":          {},
	"verifyreversemapping":            {},
	"versionaddendum":                 {},
	"warnweakcrypto":                  {kind: oneOf, words: yesNo, since: Version{10, 1}},
	"x11displayoffset":                {kind: number, match: true},
	"x11forwarding":                   {kind: oneOf, words: yesNo, match: true},
	"x11maxdisplays":                  {kind: number, match: true},
	"x11uselocalhost":                 {kind: oneOf, words: yesNo, match: true},
	"xauthlocation":                   {kind: one},
}

// value judges the arguments of a keyword as the server does, and returns what
// it takes.
func (k keyword) value(args []string, v Version) (string, error) {
	if k.kind == anything {
		return strings.Join(args, " "), nil
	}
	if len(args) == 0 || args[0] == "" {
		return "", fmt.Errorf("a value is missing")
	}
	if len(args) > 1 {
		return "", fmt.Errorf("more than one value")
	}
	text := args[0]
	switch k.kind {
	case oneOf:
		for _, w := range k.words {
			if strings.EqualFold(text, w) {
				return w, nil
			}
		}
		return "", fmt.Errorf("unsupported value %q", text)
	case number:
		// No sign, blank or fraction: strtonum from 0 on, which also takes a "+".
		n, err := strconv.ParseUint(strings.TrimPrefix(text, "+"), 10, 31)
		if err != nil {
			return "", fmt.Errorf("%q is not a number", text)
		}
		return strconv.FormatUint(n, 10), nil
	case duration:
		if _, ok := Seconds(text); !ok {
			return "", fmt.Errorf("%q is not a time", text)
		}
	case macList:
		if !validMACs(text, v) {
			return "", fmt.Errorf("unknown MAC algorithm in %q", text)
		}
	case anything, one, include, match:
	}
	return text, nil
}

// Seconds reads a time of sshd_config: "90", "1m30s", "2h".
func Seconds(text string) (int64, bool) {
	if text == "" {
		return 0, false
	}
	var total int64
	for text != "" {
		digits := len(text) - len(strings.TrimLeft(text, "0123456789"))
		n, err := strconv.ParseInt(text[:digits], 10, 32)
		if err != nil {
			return 0, false
		}
		text = text[digits:]
		unit := int64(1)
		if text != "" {
			var ok bool
			if unit, ok = units[text[0]|0x20]; !ok {
				return 0, false
			}
			text = text[1:]
		}
		if total += n * unit; total > math.MaxInt32 {
			return 0, false
		}
	}
	return total, true
}

var units = map[byte]int64{'s': 1, 'm': 60, 'h': 60 * 60, 'd': 24 * 60 * 60, 'w': 7 * 24 * 60 * 60}
