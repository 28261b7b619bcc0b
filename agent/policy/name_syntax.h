// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string_view>

// What Kubernetes accepts as names, and in the words of its errors what it does not.
namespace ebpfd {

// Each returns what is wrong with the text, or an empty view.
std::string_view wrong_dns_label(std::string_view text);     // of namespaces
std::string_view wrong_dns_subdomain(std::string_view text); // of most objects
std::string_view wrong_label_key(std::string_view text);     // "prefix/name" or "name"
std::string_view wrong_label_value(std::string_view text);   // may be empty
std::string_view wrong_port_name(std::string_view text);     // IANA_SVC_NAME

} // namespace ebpfd
