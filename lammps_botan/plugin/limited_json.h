/* -*- c++ -*- ----------------------------------------------------------
   lammps-botan: predict particle mobility while LAMMPS runs a glass
   GNU General Public License v2 or later
------------------------------------------------------------------------- */

// JSON out of a model file: no larger and no deeper than that of a model file.

#ifndef BOTAN_LIMITED_JSON_H
#define BOTAN_LIMITED_JSON_H

#include "json.h"

#include <string>

// throws std::exception with what is wrong; `name` is that of the text in messages
LAMMPS_NS::json parse_limited_json(std::string_view text, const std::string &name);

#endif
