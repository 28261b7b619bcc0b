// SPDX-License-Identifier: Apache-2.0
#pragma once
#include "model/document.h"

#include <string>

// The one object that the text describes, as a file "test.yaml".
ebpfd::Document yaml_document(const std::string& text);
