package main

import (
	"strings"

	"github.com/hardgate-dev/hardgate/control"
)

// numberings are those of the source documents, by the names that rows have for them.
var numberings = map[string]string{"kubernetes": "cis-kubernetes-1.8.0-aks", "host": "aks-host-2019"}

func documentTitle(document string, lang control.Lang) string {
	for _, b := range control.Benchmarks() {
		if b.ID == numberings[document] {
			return b.Title.In(lang)
		}
	}
	return document
}

// sections are the headings of the source documents, in our own words.
var sections = map[string]map[string]control.Text{
	"kubernetes": {
		"1":   {EN: "Control plane components", KO: "컨트롤 플레인 구성 요소"},
		"1.1": {EN: "Files of the control plane", KO: "컨트롤 플레인의 파일"},
		"1.2": {EN: "API server", KO: "API 서버"},
		"1.3": {EN: "Controller manager", KO: "컨트롤러 매니저"},
		"1.4": {EN: "Scheduler", KO: "스케줄러"},
		"2":   {EN: "etcd", KO: "etcd"},
		"3":   {EN: "Configuration of the control plane", KO: "컨트롤 플레인 구성"},
		"3.1": {EN: "Authentication and authorization", KO: "인증과 인가"},
		"3.2": {EN: "Audit log", KO: "감사 로그"},
		"4":   {EN: "Worker nodes", KO: "워커 노드"},
		"4.1": {EN: "Files of worker nodes", KO: "워커 노드의 파일"},
		"4.2": {EN: "Kubelet", KO: "kubelet"},
		"5":   {EN: "Policies", KO: "정책"},
		"5.1": {EN: "RBAC and service accounts", KO: "RBAC과 서비스 어카운트"},
		"5.2": {EN: "Pods", KO: "파드"},
		"5.3": {EN: "Network", KO: "네트워크"},
		"5.4": {EN: "Secrets", KO: "시크릿"},
		"5.5": {EN: "Images", KO: "이미지"},
		"5.7": {EN: "In general", KO: "일반"},
	},
	"host": {
		"1":   {EN: "Setup", KO: "초기 설정"},
		"1.1": {EN: "File systems", KO: "파일 시스템"},
		"1.4": {EN: "Boot", KO: "부팅"},
		"1.7": {EN: "Login banners", KO: "로그인 배너"},
		"2":   {EN: "Services", KO: "서비스"},
		"2.1": {EN: "Kubelet", KO: "kubelet"},
		"3":   {EN: "Network", KO: "네트워크"},
		"3.1": {EN: "A host is no router", KO: "라우터로 동작하지 않는 호스트"},
		"3.2": {EN: "Packets that are accepted", KO: "수신 패킷"},
		"3.3": {EN: "IPv6", KO: "IPv6"},
		"3.5": {EN: "Protocols", KO: "프로토콜"},
		"4":   {EN: "Logs", KO: "로그"},
		"4.2": {EN: "System log", KO: "시스템 로그"},
		"5":   {EN: "Access", KO: "접근"},
		"5.1": {EN: "Cron", KO: "cron"},
		"5.2": {EN: "SSH server", KO: "SSH 서버"},
		"5.3": {EN: "Passwords", KO: "비밀번호"},
		"5.4": {EN: "Accounts", KO: "계정"},
	},
}

// headings are the sections that a row is in and the row before it is not: 1 and 1.1 for
// the row 1.1.1.
func headings(before, id string) (numbers []string) {
	for _, depth := range []int{1, 2} {
		number := prefix(id, depth)
		if number != "" && number != prefix(before, depth) {
			numbers = append(numbers, number)
		}
	}
	return numbers
}

// prefix is the beginning of a row's number; empty where the number is no longer.
func prefix(id string, depth int) string {
	parts := strings.Split(id, ".")
	if len(parts) <= depth {
		return ""
	}
	return strings.Join(parts[:depth], ".")
}

// sectionTitle is a section's number and title.
func sectionTitle(document, number string, lang control.Lang) string {
	return strings.TrimSpace(number + " " + sections[document][number].In(lang))
}
