// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "model/document.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ebpfd {

// A place in a document that may hold a value: its path, and where it complains. Reading an
// absent field gives the default; a value of the wrong type gives it too, and is noted.
class ObjectField {
public:
    // errors outlives the field.
    static ObjectField root(const Document& document, std::vector<FileError>& errors);

    bool present() const { return value_ && !value_->is_null(); }
    ObjectField operator[](std::string_view name) const;
    std::vector<ObjectField> items() const;

    std::string string() const;
    bool boolean(bool fallback) const;
    Labels string_map() const;
    // 1 to 65535.
    std::optional<uint16_t> port() const;
    // None if absent or "".
    std::optional<IpAddress> address() const;
    // TCP if absent; none for a protocol that is not known.
    std::optional<Protocol> protocol() const;

    Origin origin() const;
    void complain(std::string reason) const;

private:
    ObjectField(const Value* value, std::string path, const std::string& file,
                std::vector<FileError>& errors)
        : value_(value), path_(std::move(path)), file_(&file), errors_(&errors)
    {
    }
    bool has_kind(Value::Kind wanted, std::string_view name) const;

    const Value* value_; // nullptr: absent
    std::string path_;   // "spec.containers[0].ports"; empty: the root
    const std::string* file_;
    std::vector<FileError>* errors_;
};

} // namespace ebpfd
