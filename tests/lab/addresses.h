// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string_view>

// The people of the test stories. Pods of the node live in 10.1.0.0/24 and fd00:1::/64.
namespace lab {

inline constexpr std::string_view web_v4 = "10.1.0.10"; // shop/web
inline constexpr std::string_view web_v6 = "fd00:1::10";
inline constexpr std::string_view db_v4 = "10.1.0.20"; // shop/db
inline constexpr std::string_view db_v6 = "fd00:1::20";
inline constexpr std::string_view api_v4 = "10.1.0.30"; // ops/api
inline constexpr std::string_view api_v6 = "fd00:1::30";
inline constexpr std::string_view scan_v4 = "10.1.0.40"; // ops/scan
inline constexpr std::string_view scan_v6 = "fd00:1::40";
inline constexpr std::string_view node_v4 = "10.1.0.1"; // the node, as its pods see it
inline constexpr std::string_view node_v6 = "fd00:1::1";
inline constexpr std::string_view outside_v4 = "192.0.2.9"; // a host beyond the cluster
inline constexpr std::string_view outside_v6 = "2001:db8::9";
inline constexpr std::string_view service_v4 = "10.96.0.10"; // a cluster IP
inline constexpr std::string_view service_v6 = "fd00:96::10";

} // namespace lab
