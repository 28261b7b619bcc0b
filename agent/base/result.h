// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace ebpfd {

// code is an errno value, or 0 where no system call failed; message is a sentence to which
// each layer adds one phrase in front: "apply db.yaml: update ruleset_map: No space left".
struct [[nodiscard]] Error {
    int code = 0;
    std::string message;
};

template <class T> using Result = std::expected<T, Error>;

// The error value a function returns.
inline std::unexpected<Error> fail(int code, std::string message)
{
    return std::unexpected(Error{code, std::move(message)});
}

// The same error with a phrase in front.
inline std::unexpected<Error> fail(std::string_view phrase, Error error)
{
    error.message.insert(0, std::string(phrase) + ": ");
    return std::unexpected(std::move(error));
}

// "what: No such file or directory"; reads code, or errno if none is given.
std::unexpected<Error> fail_errno(std::string_view what);
std::unexpected<Error> fail_errno(std::string_view what, int code);

} // namespace ebpfd
