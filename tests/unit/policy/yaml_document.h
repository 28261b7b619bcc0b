// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "source/parse.h"

#include <gtest/gtest.h>
#include <string>

namespace ebpfd {

// The one document of the text, called "policy.yaml".
inline Document yaml_document(const std::string& text)
{
    auto documents = parse_documents(text, "policy.yaml");
    if (!documents || documents->size() != 1) {
        ADD_FAILURE() << (documents ? "not one document" : documents.error().reason) << ":\n"
                      << text;
        return {};
    }
    return std::move(documents->front());
}

} // namespace ebpfd
